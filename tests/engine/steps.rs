//! The engine with a form that records its calls: the order and the number of the steps.

mod bounds;

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};
use tower_sso::ConfigProblem;
use tower_sso::Identity;
use tower_sso::VerifyLayer;
use tower_sso::body::HeadOnly;
use tower_sso::clock::{Clock, ManualClock, UnixTime};
use tower_sso::explain;
use tower_sso::form::{Extracted, Form, Presence, Rules, Usage};
use tower_sso::keys::{self, Key, Keys, Secret, TenantId};
use tower_sso::rejection::{Code, Reason, Rejection};
use tower_sso::replay::{Claim, Claimed, Fingerprint, FingerprintHasher, LeaseId, MemoryReplay, ReplayStore};
use tower_sso::store::{StoreError, StoreFuture};
use tower_sso::tenant::Tenant;
use tower_sso::window::Validity;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const MINUTE: Duration = Duration::from_secs(60);

#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<&'static str>>>);

impl Diary {
    fn write(&self, step: &'static str) {
        self.0.lock().unwrap().push(step);
    }

    fn read(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// The path is the credential, and is good if it is the key.
struct Diarist {
    diary: Diary,
    usage: Usage,
    validity: Validity,
}

impl Form for Diarist {
    const NAME: &'static str = "diarist";
    type Reads = HeadOnly;
    type Credential = String;
    type Message = String;
    type Claims = String;

    fn rules(&self) -> Rules {
        let mut rules = Rules::new(Secret::new("decoy"));
        rules.usage = self.usage;
        rules
    }

    fn screen(&self, head: &Parts) -> Result<Presence, Reason> {
        self.diary.write("screen");
        Ok(if head.uri.path() == "/overlooked" { Presence::Absent } else { Presence::InHead })
    }

    fn extract(&self, head: &Parts, body: &Bytes) -> Result<Extracted<String>, Reason> {
        assert!(body.is_empty(), "the credential is in the head");
        self.diary.write("extract");
        Ok(head.uri.path().to_owned().into())
    }

    fn verify(&self, path: &String, key: &Secret) -> Result<String, Reason> {
        self.diary.write("verify");
        if path.as_bytes() == key.expose() { Ok(path.clone()) } else { Err(Reason::BadSignature) }
    }

    fn validity(&self, _: &String) -> Result<Validity, Reason> {
        self.diary.write("validity");
        Ok(self.validity)
    }

    fn fingerprint(&self, path: &String, fingerprint: &mut FingerprintHasher) {
        self.diary.write("fingerprint");
        fingerprint.part(path.as_bytes());
    }

    fn claims(&self, path: String, _: UnixTime) -> Result<String, Reason> {
        self.diary.write("claims");
        if path == "/bad-claims" { Err(Reason::BadPayload("bad".into())) } else { Ok(path) }
    }
}

struct Remembering(Diary, MemoryReplay);

impl ReplayStore for Remembering {
    fn claim(&self, claim: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
        self.0.write("claim");
        self.1.claim(claim)
    }

    fn settle(&self, claim: &Claim) -> StoreFuture<Result<(), StoreError>> {
        self.0.write("settle");
        self.1.settle(claim)
    }

    fn release(&self, key: Fingerprint, lease: LeaseId) -> StoreFuture<Result<(), StoreError>> {
        self.0.write("release");
        self.1.release(key, lease)
    }

    fn remembers_since(&self) -> Option<UnixTime> {
        self.1.remembers_since()
    }
}

/// What happens during a call of the store.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Meanwhile {
    Nothing,
    /// The store learns that it remembers since now only.
    ItForgot,
    /// The machine sleeps for three seconds, which the clock has not noticed yet.
    TimePasses,
    /// The store carries the call out, but its answer is lost.
    TheAnswerIsLost,
    /// The store panics when it is told how the delivery ended.
    ItPanics,
}

/// A clock that notices a sleep of the machine only when it is asked for the exact time.
struct Drowsy(ManualClock);

impl Clock for Drowsy {
    fn now(&self) -> UnixTime {
        NOW
    }

    fn exact(&self) -> UnixTime {
        self.0.now()
    }
}

struct Troubled(Remembering, ManualClock, Meanwhile, AtomicBool);

impl ReplayStore for Troubled {
    fn claim(&self, claim: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
        let claimed = self.0.claim(claim);
        match self.2 {
            Meanwhile::Nothing | Meanwhile::ItPanics => claimed,
            Meanwhile::ItForgot => {
                self.3.store(true, Ordering::SeqCst);
                claimed
            }
            Meanwhile::TimePasses => {
                self.1.advance(Duration::from_secs(3));
                claimed
            }
            Meanwhile::TheAnswerIsLost => StoreFuture::ready(Err(StoreError::timed_out())),
        }
    }

    fn settle(&self, claim: &Claim) -> StoreFuture<Result<(), StoreError>> {
        let settled = self.0.settle(claim);
        assert_ne!(self.2, Meanwhile::ItPanics, "as it was told to");
        settled
    }

    fn release(&self, key: Fingerprint, lease: LeaseId) -> StoreFuture<Result<(), StoreError>> {
        self.0.release(key, lease)
    }

    fn remembers_since(&self) -> Option<UnixTime> {
        self.3.load(Ordering::SeqCst).then(|| self.1.now().plus(Duration::from_secs(1)))
    }
}

struct Bench {
    diary: Diary,
    layer: VerifyLayer<Diarist>,
}

impl Bench {
    fn new(usage: Usage, validity: Validity, known: &'static [&'static str]) -> Self {
        let diary = Diary::default();
        let log = diary.clone();
        let store = keys::from_fn(move |_: TenantId| {
            log.write("keys");
            async move { Ok::<_, Infallible>(known.iter().map(|key| Key::current(Secret::new(*key))).collect::<Keys>()) }
        });
        let form = Diarist { diary: diary.clone(), usage, validity };
        let replay = MemoryReplay::builder().danger_no_startup_cutoff().build();
        let layer =
            VerifyLayer::builder(form, Tenant::fixed("acme"), Method::GET).keys(store).clock(ManualClock::at(NOW));
        let layer = match usage {
            Usage::Reusable => layer,
            _ => layer.replay(Remembering(diary.clone(), replay)),
        };
        Self { diary, layer: layer.build().unwrap() }
    }

    /// The same, but for what happens at each claim.
    fn troubled(usage: Usage, meanwhile: Meanwhile) -> Self {
        let diary = Diary::default();
        let clock = ManualClock::at(NOW);
        let form = Diarist {
            diary: diary.clone(),
            usage,
            validity: Validity::between(Some(NOW), NOW.minus(MINUTE), NOW.plus(MINUTE), Duration::ZERO),
        };
        let replay = MemoryReplay::builder().clock(ManualClock::at(NOW.minus(MINUTE))).build();
        let replay = Troubled(Remembering(diary.clone(), replay), clock.clone(), meanwhile, false.into());
        let layer = VerifyLayer::builder(form, Tenant::fixed("acme"), Method::GET).secrets(["/good-key"]);
        Self { diary, layer: layer.replay(replay).clock(Drowsy(clock)).build().unwrap() }
    }

    async fn send(&self, path: &str) -> (Option<Code>, Vec<&'static str>) {
        let log = self.diary.clone();
        let inner = service_fn(move |request: Request<String>| {
            log.write("inner");
            assert!(Identity::<String>::of(request.extensions()).is_some());
            async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) }
        });
        let answer =
            self.layer.clone().layer(inner).oneshot(Request::get(path).body(String::new()).unwrap()).await.unwrap();
        (answer.extensions().get::<Rejection>().map(Rejection::code), self.diary.read())
    }
}

#[tokio::test]
async fn the_steps_come_in_their_order_and_end_where_one_fails() {
    let always = Validity::unlimited();
    let past = Validity::between(None, UnixTime::MIN, UnixTime::from_secs(1), Duration::ZERO);
    let to_verify = ["screen", "extract", "keys", "verify"];
    let all = [&to_verify[..], &["validity", "fingerprint", "claims", "claim", "inner"]].concat();

    let bench = Bench::new(Usage::Once, always, &["/good-key", "/bad-claims"]);
    assert_eq!(bench.send("/good-key").await, (None, all.clone()));
    let (code, steps) = bench.send("/good-key").await;
    assert_eq!((code, steps.last()), (Some(Code::Replayed), Some(&"claim")));
    let both_keys = [&to_verify[..], &["verify"]].concat();
    assert_eq!(bench.send("/wrong").await, (Some(Code::Invalid), both_keys.clone()), "each active key is tried");
    let claims = [&both_keys[..], &["validity", "fingerprint", "claims"]].concat();
    assert_eq!(bench.send("/bad-claims").await, (Some(Code::RejectedClaims), claims), "nothing is claimed");

    let stale = Bench::new(Usage::Once, past, &["/good-key"]);
    let time = [&to_verify[..], &["validity"]].concat();
    assert_eq!(stale.send("/good-key").await, (Some(Code::Expired), time), "stale claims are not read");
}

#[tokio::test]
async fn an_explanation_takes_the_steps_up_to_the_claims() {
    let bench = Bench::new(Usage::Once, Validity::unlimited(), &["/good"]);
    let (head, ()) = Request::get("/good").body(()).unwrap().into_parts();
    let explanation = explain::request(&bench.layer, &head, &Bytes::new()).await;
    assert_eq!(explanation.refused(), None);
    let explained = bench.diary.read();
    let explanation = explain::request(&bench.layer, &head, &Bytes::from_static(b"signed by nobody")).await;
    assert_eq!(explanation.refused().map(Rejection::reason), Some(&Reason::UnsignedBody));
    assert_eq!(explanation.cause(), Some(&*Reason::UnsignedBody.to_string()));
    assert_eq!(bench.diary.read(), ["screen"]);
    let (_, checked) = bench.send("/good").await;
    assert_eq!([&explained[..], &["claim", "inner"]].concat(), checked);
}

/// `extract` may only say what is missing: the body was not read.
#[tokio::test]
async fn a_credential_that_the_form_calls_absent_lets_nobody_in() {
    let bench = Bench::new(Usage::Once, Validity::unlimited(), &["/overlooked"]);
    assert_eq!(bench.send("/overlooked").await, (Some(Code::Malformed), vec!["screen", "extract"]));
}

#[tokio::test]
async fn an_unknown_tenant_costs_what_a_wrong_key_costs() {
    let unknown = Bench::new(Usage::Once, Validity::unlimited(), &[]).send("/any").await;
    let wrong = Bench::new(Usage::Once, Validity::unlimited(), &["/good-key"]).send("/any").await;
    assert_eq!(unknown, wrong);
    assert_eq!(unknown.1.iter().filter(|step| **step == "verify").count(), 1);
    // Knowing the decoy key does not let anybody in.
    let bench = Bench::new(Usage::Once, Validity::unlimited(), &[]);
    assert_eq!(bench.send("decoy").await.0, Some(Code::Invalid));
}

#[tokio::test]
async fn a_reusable_credential_is_not_claimed() {
    let bench = Bench::new(Usage::Reusable, Validity::unlimited(), &["/good-key"]);
    for _ in 0..3 {
        let (code, steps) = bench.send("/good-key").await;
        assert_eq!((code, steps.last(), steps.contains(&"claim")), (None, Some(&"inner"), false));
    }
}

#[tokio::test]
async fn a_call_is_settled_after_it_was_carried_out() {
    let usage = Usage::Idempotent { lease: Duration::from_secs(30), remember: None };
    let bench = Bench::new(usage, Validity::unlimited(), &["/good-key"]);
    let (code, steps) = bench.send("/good-key").await;
    assert_eq!((code, &steps[steps.len() - 3..]), (None, &["claim", "inner", "settle"][..]));
    let (code, steps) = bench.send("/good-key").await;
    assert_eq!((code, steps.last()), (None, Some(&"claim")), "a copy is acknowledged and goes no further");
}

/// A processed delivery is answered, and not released, if it could not be settled.
#[tokio::test(start_paused = true)]
async fn a_store_that_panics_is_asked_again_to_settle() {
    let usage = Usage::Idempotent { lease: Duration::from_secs(30), remember: None };
    let bench = Bench::troubled(usage, Meanwhile::ItPanics);
    let (code, steps) = bench.send("/good-key").await;
    assert_eq!((code, &steps[steps.len() - 2..]), (None, &["inner", "settle"][..]), "{steps:?}");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(bench.diary.read(), ["settle"]);
}

#[tokio::test]
async fn a_first_claim_in_doubt_lets_nobody_in_and_a_call_may_come_again() {
    let once = Usage::Once;
    let call = Usage::Idempotent { lease: Duration::from_secs(30), remember: None };
    for (meanwhile, code) in [
        (Meanwhile::Nothing, None),
        (Meanwhile::ItForgot, Some(Code::Replayed)),
        (Meanwhile::TimePasses, Some(Code::Unavailable)),
        (Meanwhile::TheAnswerIsLost, Some(Code::Unavailable)),
    ] {
        for usage in [once, call] {
            let (answer, steps) = Bench::troubled(usage, meanwhile).send("/good-key").await;
            assert_eq!(answer, code, "{meanwhile:?} {usage:?}");
            assert_eq!(steps.contains(&"inner"), code.is_none(), "{meanwhile:?} {usage:?}: {steps:?}");
            let released = code.is_some() && usage == call;
            assert_eq!(steps.contains(&"release"), released, "{meanwhile:?} {usage:?}: {steps:?}");
        }
    }
}

#[test]
fn only_a_reusable_form_builds_without_a_replay_store() {
    for (usage, expected) in [(Usage::Reusable, None), (Usage::Once, Some(ConfigProblem::NoReplayStore))] {
        let form = Diarist { diary: Diary::default(), usage, validity: Validity::unlimited() };
        let built = VerifyLayer::builder(form, Tenant::fixed("acme"), Method::GET).secrets(["/good-key"]).build();
        assert_eq!(built.err().map(|error| error.problem().clone()), expected);
    }
}

#[tokio::test]
async fn the_application_may_write_the_answers() {
    let form = Diarist { diary: Diary::default(), usage: Usage::Reusable, validity: Validity::unlimited() };
    let layer = VerifyLayer::builder(form, Tenant::fixed("acme"), Method::GET)
        .secrets(["/good-key"])
        .responder(|rejection, head| {
            let wants_html = head.headers.get("accept").is_some_and(|accept| accept == "text/html");
            let body = if wants_html { "<h1>No</h1>" } else { "no" };
            Response::builder().status(rejection.code().status()).body(Bytes::from(body)).unwrap()
        })
        .build()
        .unwrap();
    for (accept, expected) in [("text/html", "<h1>No</h1>"), ("*/*", "no")] {
        let inner =
            service_fn(|_: Request<String>| async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) });
        let request = Request::get("/bad").header("accept", accept).body(String::new()).unwrap();
        let answer = layer.clone().layer(inner).oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.headers()["cache-control"], "no-store", "whoever writes it");
        assert_eq!(answer.headers()["www-authenticate"], "SSO");
        assert_eq!(answer.extensions().get::<Rejection>().unwrap().reason(), &Reason::BadSignature);
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), expected);
    }
}
