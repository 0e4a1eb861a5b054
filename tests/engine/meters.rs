//! What a layer counts and measures, as Prometheus sees it.

use http_body_util::Full;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use serde_json::Value;
use tower_sso::clock::UnixTime;
use tower_sso::jwt::{self, Algorithm};
use tower_sso::keys::{MemoryKeys, Secret};
use tower_sso::metrics::{self, names};
use tower_sso::replay::{Claim, Claimed, Fill, Fingerprint, LeaseId, MemoryReplay, ReplayStore};
use tower_sso::sign::{FernetLink, SigningWebhook, generate_fernet_key};
use tower_sso::store::{StoreError, StoreFuture};
use tower_sso::tenant::Tenant;
use tower_sso::{fernet, webhook};

use crate::support::{App, NOW, clock, replay};

#[tokio::test]
async fn layers_are_measured() {
    let buckets = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("seconds".into()), &[0.0, 1.0, 10.0]);
    let recorder = buckets.unwrap().build_recorder();
    let _guard = ::metrics::set_default_local_recorder(&recorder);
    metrics::describe();

    let (old, key) = (generate_fernet_key(), generate_fernet_key());
    let keys = MemoryKeys::new().with("4321", old.clone());
    keys.rotate("4321", key.clone(), UnixTime::from_secs(NOW + 60));
    let layer = fernet::layer::<Value>().keys(keys).tenant(Tenant::query("company_id")).namespace("staff");
    let app = App::new(layer.replay(replay()).clock(clock()).build().unwrap());
    let link = |key: &Secret, at| {
        let link = FernetLink::new("/", "4321", key).issued_at(UnixTime::from_secs(at));
        http::Request::get(link.uri(&serde_json::json!({"id": at})).unwrap()).body(Full::default()).unwrap()
    };
    let first = link(&key, NOW - 5);
    app.send(first.clone()).await;
    app.send(first).await;
    app.send(link(&old, NOW)).await;
    app.send(link(&generate_fernet_key(), NOW)).await;
    // Clocks that are off show although nobody gets in. A time that nobody signed does not, nor does what is no clock.
    for (key, at) in [(&key, NOW - 400), (&key, NOW + 300), (&generate_fernet_key(), NOW - 500), (&key, NOW - 100_000)]
    {
        app.send(link(key, at)).await;
    }
    let hook = webhook::layer::<Value>().secrets(["a-secret-of-the-sender"]).replay(replay()).handler_remembers();
    let hook = App::new(hook.clock(clock()).build().unwrap());
    for _ in 0..2 {
        let call = SigningWebhook::new("a-secret-of-the-sender".into()).sign("{}").request("/");
        hook.send(call.map(|body| Full::from(bytes::Bytes::from(body)))).await;
    }

    let said = recorder.handle().render();
    for line in [
        r#"tower_sso_requests_total{form="fernet",namespace="staff",outcome="accepted"} 2"#,
        r#"tower_sso_requests_total{form="fernet",namespace="staff",outcome="replayed"} 1"#,
        r#"tower_sso_requests_total{form="fernet",namespace="staff",outcome="bad_signature"} 2"#,
        r#"tower_sso_requests_total{form="fernet",namespace="staff",outcome="expired"} 2"#,
        r#"tower_sso_requests_total{form="fernet",namespace="staff",outcome="not_yet_valid"} 1"#,
        r#"tower_sso_key_use_total{form="fernet",namespace="staff",use="current"} 1"#,
        r#"tower_sso_key_use_total{form="fernet",namespace="staff",use="previous"} 1"#,
        r#"tower_sso_check_seconds_count{form="fernet",namespace="staff"} 8"#,
        r#"tower_sso_store_seconds_count{form="fernet",namespace="staff",store="keys"} 8"#,
        r#"tower_sso_store_seconds_count{form="fernet",namespace="staff",store="replay"} 3"#,
        r#"tower_sso_credential_age_seconds_bucket{form="fernet",namespace="staff",outcome="accepted",le="0"} 1"#,
        r#"tower_sso_credential_age_seconds_sum{form="fernet",namespace="staff",outcome="accepted"} 5"#,
        r#"tower_sso_credential_age_seconds_count{form="fernet",namespace="staff",outcome="expired"} 1"#,
        r#"tower_sso_credential_age_seconds_sum{form="fernet",namespace="staff",outcome="expired"} 400"#,
        r#"tower_sso_credential_age_seconds_count{form="fernet",namespace="staff",outcome="not_yet_valid"} 1"#,
        r#"tower_sso_credential_age_seconds_sum{form="fernet",namespace="staff",outcome="not_yet_valid"} -300"#,
        r#"tower_sso_replay_entries{form="fernet",namespace="staff"} 1"#,
        r#"tower_sso_replay_ceiling{form="fernet",namespace="staff"} 1000000"#,
        r#"tower_sso_requests_total{form="webhook",namespace="",outcome="acknowledged"} 1"#,
        "# HELP tower_sso_check_seconds How long a check took",
    ] {
        assert!(said.lines().any(|said| said.starts_with(line)), "{line}\n{said}");
    }
    for name in names::ALL.into_iter().filter(|name| *name != names::UNSETTLED) {
        assert!(said.contains(name), "{name}");
    }
}

/// A store on another machine, which answers later.
struct Later(MemoryReplay);

impl ReplayStore for Later {
    fn claim(&self, claim: &Claim) -> StoreFuture<Result<Claimed, StoreError>> {
        let claim = self.0.claim(claim);
        StoreFuture::new(async {
            tokio::task::yield_now().await;
            claim.await
        })
    }

    fn settle(&self, claim: &Claim) -> StoreFuture<Result<(), StoreError>> {
        self.0.settle(claim)
    }

    fn release(&self, key: Fingerprint, lease: LeaseId) -> StoreFuture<Result<(), StoreError>> {
        self.0.release(key, lease)
    }

    fn remembers_since(&self) -> Option<UnixTime> {
        self.0.remembers_since()
    }

    fn fill(&self) -> Option<Fill> {
        self.0.fill()
    }
}

#[tokio::test]
async fn a_store_that_answers_later_says_how_full_it_is() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = ::metrics::set_default_local_recorder(&recorder);
    let hook = webhook::layer::<Value>().secrets(["the secret of acme"]).replay(Later(replay())).handler_remembers();
    App::new(hook.clock(clock()).build().unwrap()).send(call("acme", "the secret of acme")).await;
    let said = recorder.handle().render();
    assert!(said.contains(r#"tower_sso_replay_entries{form="webhook",namespace=""} 1"#), "{said}");
}

fn hook(most: usize) -> App {
    let names = ["acme", "globex", "initech"];
    let keys = names.iter().fold(MemoryKeys::new(), |keys, name| keys.with(*name, format!("the secret of {name}")));
    let layer = webhook::layer::<Value>().keys(keys).tenant(Tenant::path_segment(0)).tenant_labels(most);
    App::new(layer.replay(replay()).handler_remembers().clock(clock()).build().unwrap())
}

fn call(tenant: &str, secret: &str) -> crate::support::Request_ {
    let call = SigningWebhook::new(secret.into()).sign(r#"{"a":1}"#).request(&format!("/{tenant}"));
    call.map(|body| Full::from(bytes::Bytes::from(body)))
}

/// Two names at most: who comes first and has keys. What anybody makes up takes no place.
#[tokio::test]
async fn tenants_are_told_apart_up_to_a_bound() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = ::metrics::set_default_local_recorder(&recorder);
    let app = hook(2);
    for made_up in 0..100 {
        app.send(call(&format!("made-up-{made_up}"), "guessed")).await;
    }
    for (tenant, secret) in [
        ("acme", "the secret of acme"),
        ("acme", "the secret of acme"),
        ("globex", "not the secret of globex"),
        ("initech", "the secret of initech"),
        ("globex", "the secret of globex"),
    ] {
        app.send(call(tenant, secret)).await;
    }
    let said = recorder.handle().render();
    let mut counted: Vec<&str> = said.lines().filter(|line| line.contains("tenant=")).collect();
    counted.sort_unstable();
    let labels = |name: &str, tenant: &str| format!(r#"{name}{{form="webhook",namespace="",tenant="{tenant}","#);
    let (uses, requests) = ("tower_sso_key_use_total", "tower_sso_requests_total");
    assert_eq!(
        counted,
        [
            format!(r#"{}use="current"}} 1"#, labels(uses, "acme")),
            format!(r#"{}use="current"}} 1"#, labels(uses, "globex")),
            format!(r#"{}use="current"}} 1"#, labels(uses, "other")),
            format!(r#"{}outcome="accepted"}} 1"#, labels(requests, "acme")),
            format!(r#"{}outcome="acknowledged"}} 1"#, labels(requests, "acme")),
            format!(r#"{}outcome="accepted"}} 1"#, labels(requests, "globex")),
            format!(r#"{}outcome="bad_signature"}} 1"#, labels(requests, "globex")),
            format!(r#"{}outcome="accepted"}} 1"#, labels(requests, "other")),
            format!(r#"{}outcome="unknown_key"}} 100"#, labels(requests, "other")),
        ],
        "{said}"
    );
}

/// Its algorithm is refused before the tenant's keys are looked up.
#[tokio::test]
async fn a_token_of_another_algorithm_takes_no_place_for_the_tenant_that_it_makes_up() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = ::metrics::set_default_local_recorder(&recorder);
    let keys = MemoryKeys::new().with("acme", include_str!("../vectors/p256-public.pem"));
    let layer = jwt::layer::<Value>(Algorithm::ES256).audience("rp.example").keys(keys).tenant(Tenant::query("t"));
    let app = App::new(layer.tenant_labels(1).replay(replay()).clock(clock()).build().unwrap());
    let (none, forged) = ("eyJhbGciOiJub25lIn0.e30.", format!("eyJhbGciOiJFUzI1NiJ9.e30.{}", "A".repeat(86)));
    for (tenant, token) in [("made-up", none), ("acme", &forged)] {
        let link = format!("/?t={tenant}&sso_jwt={token}");
        app.send(http::Request::get(link).body(Full::default()).unwrap()).await;
    }
    let said = recorder.handle().render();
    for (tenant, outcome) in [("other", "alg_not_allowed"), ("acme", "bad_signature")] {
        let line = format!(r#"{{form="jwt",namespace="",tenant="{tenant}",outcome="{outcome}"}} 1"#);
        assert!(said.contains(&line), "{line}\n{said}");
    }
}

#[test]
fn the_bound_is_bounded() {
    let layer = webhook::layer::<Value>().secrets(["a-secret-of-the-sender"]).tenant_labels(1_001);
    let refused = layer.replay(replay()).handler_remembers().build().unwrap_err().to_string();
    assert!(refused.contains("tenant_labels"), "{refused}");
}
