//! Random requests of every form, many of them broken: nothing that an operator sees contains a secret, a credential or
//! a claim's value.
//!
//! `N=1000000 cargo test --release --test canaries` sends a million; `SEED` repeats a run.

mod support;

use std::collections::{BTreeSet, HashSet};
use std::env;
use std::pin::Pin;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures::FutureExt;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Uri};
use http_body_util::{BodyExt, Full};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use support::log::Log;
use support::subject::{
    FernetSubject, HttpSignatureSubject, JwtSubject, JwtWebhookSubject, OAuth1Subject, SealedSubject,
    SharedSecretSubject, SignedJsonSubject, SignedParametersSubject, SignedPayloadSubject, Subject, TicketSubject,
    TimestampHashSubject, WebhookSubject, Wish, keys,
};
use support::{App, NOW, Request_, clock, replay};
use tower_sso::VerifyLayer;
use tower_sso::clock::UnixTime;
use tower_sso::explain::{self, Explanation};
use tower_sso::form::Form;
use tower_sso::keys::{MemoryKeys, Secret, TenantId};
use tower_sso::kit::Kit;
use tower_sso::rejection::Rejection;
use tower_sso::sign::Signs;

/// A claim's value. Tickets have their own.
const CLAIM: &str = "canary+7c1f@claims.example";

/// How much of a credential counts as a leak. Shorter names of parameters are shown, whatever they are.
const PIECE: usize = 25;

/// What looks like a MAC or a token is as long at least: base64 of a SHA-1 digest has 28 characters.
const LEAST_OPAQUE: usize = 22;

/// Metrics and kits are compared so often, with all canaries since the last time: a metric forgets no label.
const ROUNDS_TO_METRICS: usize = 500;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap()
    }

    fn of<T: Clone>(&mut self, things: &[T]) -> T {
        things[self.below(things.len())].clone()
    }
}

/// Explains requests with one layer, which is shown with `Debug`.
struct Explainer {
    debug: String,
    /// Writes the layer's kit, and that of a layer without keys that has seen no request. `None`: the form has no kit.
    kits: Option<Box<dyn Fn() -> [Kit; 2]>>,
    explain: Box<dyn Fn(Parts, Bytes) -> Pin<Box<dyn Future<Output = Explanation>>>>,
}

impl Explainer {
    fn of<F: Form, C: 'static>(layer: VerifyLayer<F, C>) -> Self {
        let debug = format!("{layer:?} {:?}", layer.clone());
        let explain = move |head: Parts, body: Bytes| {
            let layer = layer.clone();
            async move { explain::request(&layer, &head, &body).await }.boxed_local()
                as Pin<Box<dyn Future<Output = _>>>
        };
        Self { debug, kits: None, explain: Box::new(explain) }
    }

    fn with_kit<F: Signs, C: Send + Sync + 'static>(layer: VerifyLayer<F, C>, fresh: VerifyLayer<F, C>) -> Self {
        let kits = {
            let layers = [layer.clone(), fresh];
            move || {
                layers.each_ref().map(|layer| {
                    let kit = layer.kit("https://rp.example/in").tenant("acme").build();
                    kit.unwrap_or_else(|error| panic!("{}: {error}", F::NAME))
                })
            }
        };
        Self { kits: Some(Box::new(kits)), ..Self::of(layer) }
    }
}

/// All that a kit shows.
struct Shown {
    text: String,
    /// All beginnings of what could be a piece: a kit is long, and pieces are many.
    beginnings: HashSet<Vec<u8>>,
}

impl Shown {
    fn of(kit: &Kit) -> Self {
        let text = format!("{} {} {kit:?} {:?} {:?}", kit.markdown(), kit.html(), kit.programs(), kit.vector());
        let beginnings = text.as_bytes().windows(LEAST_OPAQUE).map(<[u8]>::to_vec).collect();
        Self { text, beginnings }
    }

    fn has(&self, piece: &str) -> bool {
        let beginning = piece.as_bytes().get(..LEAST_OPAQUE);
        beginning.is_none_or(|beginning| self.beginnings.contains(beginning)) && self.text.contains(piece)
    }
}

/// A text that was changed at random: at most three times.
fn changed(text: &str, random: &mut Random) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..1 + random.below(3) {
        let (from, to) = (random.below(bytes.len() + 1), random.below(bytes.len() + 1));
        let (from, to) = (from.min(to), from.max(to).min(from + 24));
        match random.below(8) {
            0 => _ = bytes.drain(from.min(to)..to.max(from)),
            1 => bytes.insert(from, random.of(b"&=%+\"'{}[],.:;/? \\\n\x80aZ0_-")),
            2 if from < bytes.len() => bytes[from] ^= 1 << random.below(7),
            3 => {
                let piece = bytes[from.min(to)..to.max(from)].to_vec();
                let at = random.below(bytes.len() + 1);
                bytes.splice(at..at, piece);
            }
            4 if from < bytes.len() => bytes[from] = bytes[from].to_ascii_uppercase(),
            5 => bytes.truncate(from),
            6 => {
                let text = String::from_utf8_lossy(&bytes).replace('%', "%25");
                bytes = text.into_bytes();
            }
            _ => bytes.reverse(),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A request that is right in half of all parts, and what must not be seen of it.
fn request<S: Subject>(random: &mut Random) -> (Parts, Bytes, BTreeSet<String>) {
    let subject = if S::NAME == "ticket" { random.of(&["ada", "bob", "a"]) } else { CLAIM };
    let wish = Wish {
        tenant: random.of(&["acme", "acme", "acme", "other", "nobody"]),
        key: random.of(&[0, 0, 0, 1, 2, 3]),
        issued_at: UnixTime::from_secs(random.of(&[NOW, NOW, NOW, NOW - 400, NOW + 400, NOW - 86_400, 0])),
        subject: subject.into(),
    };
    let (mut head, body) = S::request(&wish).into_parts();
    let mut body = body.collect().now_or_never().unwrap().unwrap().to_bytes();
    let hidden = hidden::<S>(&wish);
    if random.below(2) == 0 {
        let target = changed(head.uri.path_and_query().unwrap().as_str(), random);
        if let Ok(uri) = target.parse::<Uri>() {
            head.uri = uri;
        }
    }
    if !body.is_empty() && random.below(2) == 0 {
        body = changed(&String::from_utf8_lossy(&body), random).into();
    }
    for value in head.headers.values_mut() {
        let other = HeaderValue::from_str(&changed(value.to_str().unwrap(), random));
        if let (0, Ok(other)) = (random.below(4), other) {
            *value = other;
        }
    }
    if random.below(8) == 0 {
        head.method = random.of(&[Method::GET, Method::POST, Method::HEAD]);
    }
    (head, body, hidden)
}

/// Pieces of whatever is signed or secret: the claim, the keys in each spelling, and the values of what each key would
/// have made of this wish. One of these is the request itself, and that of the tenant's key holds the MAC which the
/// layer expects.
fn hidden<S: Subject>(wish: &Wish) -> BTreeSet<String> {
    let mut hidden: BTreeSet<String> =
        ["canary+7c1f", "canary%2B7c1f", "canary%2b7c1f"].map(str::to_owned).into_iter().collect();
    for key in 0..4 {
        hidden.extend(spellings(&S::key(key)));
        let (head, body) = S::request(&Wish { key, ..wish.clone() }).into_parts();
        let body = body.collect().now_or_never().unwrap().unwrap().to_bytes();
        hidden.extend(pieces(head.uri.query().unwrap_or_default()));
        hidden.extend(pieces(&String::from_utf8_lossy(&body)));
        head.headers.values().for_each(|value| hidden.extend(pieces(value.to_str().unwrap())));
    }
    hidden
}

/// Pieces of long values, and whole ones of digests.
fn pieces(text: &str) -> Vec<String> {
    let values = || text.split(['&', '=', '"', '.', ' ', ':', ',']);
    // Names of parameters are shorter, and have a value behind them.
    let long = values().filter(|value| value.len() > 2 * PIECE);
    let long = long.flat_map(|value| {
        [0, value.len() / 2, value.len() - PIECE].map(|at| value.get(at..at + PIECE).unwrap_or(value))
    });
    long.chain(values().filter(|value| is_opaque(value))).map(str::to_owned).collect()
}

/// Whether a value is like a digest or a token: long, with digits between its letters.
fn is_opaque(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    value.len() >= LEAST_OPAQUE && digits >= 2 && digits < value.len()
}

/// A secret as it is, and as it could be written.
fn spellings(secret: &Secret) -> Vec<String> {
    let bytes = secret.expose();
    let mut spellings = vec![
        bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        BASE64_STANDARD_NO_PAD.encode(bytes),
        BASE64_URL_SAFE_NO_PAD.encode(bytes),
        format!("{bytes:?}"),
    ];
    spellings.extend(secret.expose_str().map(str::to_owned));
    spellings
}

/// The tenant is shown as the request names it, also if it names a claim there.
fn is_named_so(rejections: &[Option<&Rejection>], piece: &str) -> bool {
    let tenants = rejections.iter().flatten().filter_map(|rejection| rejection.tenant());
    tenants.map(TenantId::as_str).any(|tenant| tenant.contains(piece))
}

struct Run<'r> {
    random: &'r mut Random,
    metrics: PrometheusHandle,
    outcomes: std::collections::BTreeMap<&'static str, usize>,
}

async fn run<S: Subject>(run: &mut Run<'_>, times: usize, explainer: Explainer) {
    let app: App = S::app_with(keys::<S>(), replay(), clock());
    let mut planted = BTreeSet::new();
    for round in 1..=times {
        let (head, body, hidden) = request::<S>(run.random);
        let (again, sent): (_, Request_) = (head.clone(), Request::from_parts(head, Full::new(body.clone())));
        let log = Log::start();
        let answer = app.send_unsealed(sent).await;
        let rejection = answer.extensions().get::<Rejection>();
        *run.outcomes.entry(support::reason(&answer)).or_default() += 1;
        let explanation = (explainer.explain)(again.clone(), body.clone()).await;
        let said = [
            ("log", log.text()),
            ("spans", format!("{:?}", log.spans())),
            ("answer", format!("{:?} {}", answer.headers(), String::from_utf8_lossy(answer.body()))),
            ("refusal", format!("{rejection:?} {}", rejection.map(ToString::to_string).unwrap_or_default())),
            ("explanation", format!("{explanation} {explanation:?} {:?}", explanation.cause())),
            ("layer", explainer.debug.clone()),
        ];
        for (place, text) in said {
            for piece in hidden.iter().filter(|piece| text.contains(&***piece)) {
                let named = is_named_so(&[rejection, explanation.refused()], piece);
                assert!(named, "{}: {piece} is in the {place}: {text}\n{again:?}\n{body:?}", S::NAME);
            }
        }
        planted.extend(hidden);
        if round % ROUNDS_TO_METRICS == 0 || round == times {
            let metrics = run.metrics.render();
            let kits = explainer.kits.as_ref().map(|kits| kits().map(|kit| Shown::of(&kit)));
            for piece in std::mem::take(&mut planted) {
                // What both show is of neither's keys and requests.
                let is_in_the_kit = kits.as_ref().is_some_and(|[kit, fresh]| kit.has(&piece) && !fresh.has(&piece));
                assert!(!is_in_the_kit, "{}: {piece} is in the kit", S::NAME);
                assert!(!metrics.contains(&piece), "{}: {piece} is in the metrics: {metrics}", S::NAME);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_private_is_seen() {
    let number = |name: &str, usually: u64| env::var(name).ok().map_or(usually, |text| text.parse().unwrap());
    let times = usize::try_from(number("N", 2_600)).unwrap() / 13;
    let seed = number("SEED", 20_231_114);
    println!("N={} SEED={seed}", times * 13);
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = ::metrics::set_default_local_recorder(&recorder);
    let random = &mut Random(seed);
    let mut all = Run { random, metrics: recorder.handle(), outcomes: Default::default() };
    macro_rules! run {
        ($($subject:ident)*) => {
            $(let layer = $subject::layer(keys::<$subject>(), replay(), clock()).build().unwrap();
            let fresh = $subject::layer(MemoryKeys::new(), replay(), clock()).build().unwrap();
            run::<$subject>(&mut all, times, Explainer::with_kit(layer, fresh)).await;)*
        };
    }
    run!(FernetSubject HttpSignatureSubject JwtSubject JwtWebhookSubject OAuth1Subject SealedSubject SignedJsonSubject SignedParametersSubject
        SignedPayloadSubject TimestampHashSubject WebhookSubject);
    let layer = SharedSecretSubject::layer(keys::<SharedSecretSubject>(), clock()).build().unwrap();
    let fresh = SharedSecretSubject::layer(MemoryKeys::new(), clock()).build().unwrap();
    run::<SharedSecretSubject>(&mut all, times, Explainer::with_kit(layer, fresh)).await;
    // It has no kit.
    run::<TicketSubject>(&mut all, times, Explainer::of(TicketSubject::layer(clock()).build().unwrap())).await;
    let Run { outcomes, .. } = all;
    println!("{outcomes:?}");
    for outcome in ["ok", "bad_signature", "unknown_key", "malformed", "missing_parameter", "expired", "not_yet_valid"]
    {
        assert!(outcomes.contains_key(outcome), "{outcome}: {outcomes:?}");
    }
}
