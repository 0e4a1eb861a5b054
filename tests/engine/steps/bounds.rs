//! Settings that a layer refuses to build with, and requests that reach no store.

use super::*;

#[test]
fn what_has_no_time_does_not_build_on_a_store_that_forgets() {
    let call = Usage::Idempotent { lease: MINUTE, remember: Some(MINUTE) };
    for (usage, replay, expected) in [
        (Usage::Once, MemoryReplay::new(), Some(ConfigProblem::ForgetsOnRestart)),
        (call, MemoryReplay::new(), Some(ConfigProblem::ForgetsOnRestart)),
        (Usage::Once, MemoryReplay::builder().danger_no_startup_cutoff().build(), None),
    ] {
        let form = Diarist { diary: Diary::default(), usage, validity: Validity::unlimited() };
        let built = VerifyLayer::builder(form, Tenant::fixed("acme"), Method::GET).secrets(["/good-key"]);
        assert_eq!(built.replay(replay).build().err().map(|error| error.problem().clone()), expected, "{usage:?}");
    }
}

/// Whoever gives a store expects that a credential passes once.
#[test]
fn a_form_whose_credentials_may_come_again_takes_no_replay_store() {
    let form = Diarist { diary: Diary::default(), usage: Usage::Reusable, validity: Validity::unlimited() };
    let built = VerifyLayer::builder(form, Tenant::fixed("acme"), Method::GET).secrets(["/good-key"]);
    let error = built.replay(MemoryReplay::new()).build().unwrap_err();
    assert!(matches!(error.problem(), ConfigProblem::Setting { setting: "replay", .. }), "{error}");
}

/// An application has several layers; `unwrap` and `main` print `Debug`.
#[test]
fn an_error_names_its_layer_and_says_what_to_do() {
    let layer = || {
        let form = Diarist { diary: Diary::default(), usage: Usage::Once, validity: Validity::unlimited() };
        VerifyLayer::builder(form, Tenant::fixed("acme"), Method::GET)
    };
    for (builder, expected) in [
        (layer(), "the diarist layer does not build: no keys: call `keys(store)`"),
        (
            layer().namespace("billing"),
            "the diarist layer with the namespace `billing` does not build: no keys: call `keys",
        ),
        (layer().secrets(["/good-key"]), "the diarist layer does not build: no replay store: call `replay("),
        (
            layer().secrets(["/good-key"]).namespace("b"),
            "the diarist layer with the namespace `b` does not build: no replay",
        ),
    ] {
        let error = builder.build().unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
        assert_eq!(format!("{error:?}"), error.to_string());
        assert!(error.to_string().ends_with(&error.problem().to_string()), "{error}");
    }
}

/// Nor does it pass, if the store begins to forget after the layer was built.
#[tokio::test]
async fn what_has_no_time_is_refused_by_a_store_that_has_forgotten() {
    for validity in [Validity::unlimited(), Validity::between(None, UnixTime::MIN, UnixTime::MAX, MINUTE)] {
        let form = Diarist { diary: Diary::default(), usage: Usage::Once, validity };
        let layer = VerifyLayer::builder(form, Tenant::fixed("acme"), Method::GET).secrets(["/good-key"]);
        let clock = ManualClock::at(NOW);
        let store = Remembering(Diary::default(), MemoryReplay::builder().danger_no_startup_cutoff().build());
        let store = Troubled(store, clock.clone(), Meanwhile::ItForgot, AtomicBool::new(false));
        let layer = layer.clock(clock).replay(store).build().unwrap();
        let inner =
            service_fn(|_: Request<String>| async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) });
        let answer = layer.layer(inner).oneshot(Request::get("/good-key").body(String::new()).unwrap()).await.unwrap();
        assert_eq!(answer.extensions().get::<Rejection>().unwrap().reason(), &Reason::BeforeCutoff);
    }
}

/// Anybody may send a name of any length, and stores keep what they are asked for.
#[tokio::test]
async fn no_store_is_asked_for_a_name_without_a_bound() {
    let named = |name: &'static str| {
        let asked = Diary::default();
        let diary = asked.clone();
        let store = keys::from_fn(move |_: TenantId| {
            diary.write("keys");
            async { Ok::<_, std::io::Error>(Keys::unknown_tenant()) }
        });
        let form = Diarist { diary: Diary::default(), usage: Usage::Reusable, validity: Validity::unlimited() };
        let tenant = Tenant::from_fn(move |_| Some(name.into()));
        let layer = VerifyLayer::builder(form, tenant, Method::GET).keys(store).build().unwrap();
        let inner =
            service_fn(|_: Request<String>| async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) });
        let answer = layer.layer(inner).oneshot(Request::get("/bad").body(String::new()).unwrap());
        async move { (answer.await.unwrap().status().as_u16(), asked.read()) }
    };
    let longest = "x".repeat(255).leak();
    for (name, expected, why) in [
        (&*longest, (401, vec!["keys"]), "the longest name"),
        ("x".repeat(256).leak(), (400, vec![]), "a byte more"),
        ("x".repeat(300_000).leak(), (400, vec![]), "as long as a header may be"),
        ("", (400, vec![]), "no name at all"),
    ] {
        assert_eq!(named(name).await, expected, "{why}");
    }
}

/// What it says of its credentials is wrong.
struct Wrong {
    form: Diarist,
    /// They name their tenant.
    signs_tenant: bool,
    /// Where they are, as the form does not read the body.
    presence: Presence,
}

impl Form for Wrong {
    const NAME: &'static str = "wrong";
    type Reads = HeadOnly;
    type Credential = String;
    type Message = String;
    type Claims = String;

    fn rules(&self) -> Rules {
        let mut rules = self.form.rules();
        rules.signs_tenant = self.signs_tenant;
        rules
    }

    fn screen(&self, _: &Parts) -> Result<Presence, Reason> {
        Ok(self.presence)
    }

    fn extract(&self, head: &Parts, body: &Bytes) -> Result<Extracted<String>, Reason> {
        self.form.extract(head, body)
    }

    fn verify(&self, path: &String, key: &Secret) -> Result<String, Reason> {
        self.form.verify(path, key)
    }

    fn validity(&self, path: &String) -> Result<Validity, Reason> {
        self.form.validity(path)
    }

    fn fingerprint(&self, path: &String, fingerprint: &mut FingerprintHasher) {
        self.form.fingerprint(path, fingerprint);
    }

    fn claims(&self, path: String, now: UnixTime) -> Result<String, Reason> {
        self.form.claims(path, now)
    }
}

/// The layer's tenant is no substitute: anybody could make up a name and log in again with it.
#[tokio::test]
async fn a_form_that_signs_its_tenant_and_names_none_lets_nobody_in() {
    let validity = Validity::between(Some(NOW), NOW, NOW, MINUTE);
    for tenant in [Tenant::query("t"), Tenant::fixed("acme")] {
        let form = Diarist { diary: Diary::default(), usage: Usage::Once, validity };
        let form = Wrong { form, signs_tenant: true, presence: Presence::InHead };
        let layer = VerifyLayer::builder(form, tenant, Method::GET).secrets(["/good-key"]).clock(ManualClock::at(NOW));
        let layer = layer.replay(MemoryReplay::builder().danger_no_startup_cutoff().build()).build().unwrap();
        for uri in ["/good?t=acme", "/good?t=another"] {
            let inner =
                service_fn(|_: Request<String>| async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) });
            let answer = layer.layer(inner).oneshot(Request::get(uri).body(String::new()).unwrap()).await.unwrap();
            assert_eq!(answer.extensions().get::<Rejection>().unwrap().reason(), &Reason::UnknownKey, "{uri}");
        }
    }
}

/// Nothing has read the body, let alone checked it.
#[tokio::test]
async fn a_form_that_reads_no_body_lets_none_in() {
    let form = Diarist { diary: Diary::default(), usage: Usage::Reusable, validity: Validity::unlimited() };
    let form = Wrong { form, signs_tenant: false, presence: Presence::InBody };
    let layer = VerifyLayer::builder(form, Tenant::fixed("acme"), Method::POST).secrets(["/good-key"]).build().unwrap();
    let inner = service_fn(|_: Request<String>| async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) });
    for (body, expected) in [("", None), ("role=admin", Some(&Reason::UnsignedBody))] {
        let request = Request::post("/good-key").body(body.to_owned()).unwrap();
        let answer = layer.layer(inner).oneshot(request).await.unwrap();
        assert_eq!(answer.extensions().get::<Rejection>().map(Rejection::reason), expected, "{body}");
    }
}

/// Credentials without an end are remembered for ever and fill the store.
#[test]
fn times_have_a_bound() {
    let start = || {
        let form = Diarist { diary: Diary::default(), usage: Usage::Reusable, validity: Validity::unlimited() };
        VerifyLayer::builder(form, Tenant::fixed("acme"), Method::GET).secrets(["/good-key"])
    };
    let hour = Duration::from_secs(3_600);
    assert!(start().store_timeout(hour).body_timeout(hour).build().is_ok());
    for (built, setting) in [
        (start().store_timeout(Duration::MAX).build(), "store_timeout"),
        (start().body_timeout(Duration::MAX).build(), "body_timeout"),
        (start().tenant(Tenant::fixed("")).build(), "tenant"),
    ] {
        let error = built.unwrap_err().to_string();
        assert!(error.contains(setting), "{error}");
    }
    let usage = Usage::Idempotent { lease: Duration::MAX, remember: None };
    let form = Diarist { diary: Diary::default(), usage, validity: Validity::between(Some(NOW), NOW, NOW, MINUTE) };
    let built = VerifyLayer::builder(form, Tenant::fixed("acme"), Method::GET).secrets(["/good-key"]);
    let store = Remembering(Diary::default(), MemoryReplay::builder().danger_no_startup_cutoff().build());
    assert!(built.replay(store).build().unwrap_err().to_string().contains("lease"));
}
