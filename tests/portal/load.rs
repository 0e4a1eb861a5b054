//! Partners that sign in all the time, some of them wrongly.

use reqwest::Client;
use serde_json::json;
use tokio::task::JoinSet;
use tower_sso::clock::{Clock, SystemClock};
use tower_sso::jwt::Algorithm;
use tower_sso::keys::Secret;
use tower_sso::providers::lcvista;
use tower_sso::sign::{HashedLink, JwtSigner, OAuthLink, generate_fernet_key};

use crate::running::{CONSUMER_SECRET, Company, Home, LCVISTA_SECRET, PRIVATE_KEY, Portal, WAGGL_SECRET};

/// What the partners need to know.
struct Partners {
    base: String,
    /// With its current key, its previous one, and one that it never had.
    companies: [Company; 3],
}

/// Runs until it is dropped.
pub(crate) async fn start(home: &Home, portal: &Portal) -> JoinSet<()> {
    let previous = portal.company(home, 4321).await;
    let current = portal.company(home, 4321).await;
    let wrong = Company { base: current.base.clone(), number: 4321, key: generate_fernet_key() };
    let mut load = JoinSet::new();
    let partners = std::sync::Arc::new(Partners { base: portal.url.clone(), companies: [current, previous, wrong] });
    for worker in 0..4 {
        let partners = std::sync::Arc::clone(&partners);
        load.spawn(async move {
            let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
            for number in 0.. {
                partners.sign_in(&client, worker, number).await;
            }
        });
    }
    load
}

impl Partners {
    /// The next request. What becomes of it shows on the dashboard.
    async fn sign_in(&self, client: &Client, worker: u64, number: u64) {
        let now = SystemClock.now();
        let [current, previous, wrong] = &self.companies;
        let at = |path: &str| format!("{}{path}", self.base);
        let link = match number % 16 {
            0 => previous.link(),
            1 => wrong.link(),
            2 => current.link_of(now.minus(std::time::Duration::from_secs(130))),
            3 => current.link_of(now.plus(std::time::Duration::from_secs(130))),
            4..6 => {
                let id = format!("{worker}-{number}");
                let claims = json!({
                    "data": {"email": "bob@example.com"}, "jti": id, "iat": now.as_secs(), "nbf": now.as_secs() - 180,
                    "exp": now.as_secs() + 300, "aud": "www.waggl.com",
                });
                let signer = JwtSigner::new(Algorithm::HS512, &Secret::new(WAGGL_SECRET)).unwrap();
                at(&format!("/i/9745804b?sso_jwt={}", signer.token(&claims).unwrap()))
            }
            6..8 => {
                let timestamp = format!("{}.{:09}", now.as_secs(), now.as_nanos() % 1_000_000_000);
                let link = HashedLink::new(at("/sso/oauth/"), lcvista::recipe(), &LCVISTA_SECRET.into());
                link.uri(&[&timestamp, "admin@lcvista.com", "rainier"])
            }
            8..10 => {
                let signer = OAuthLink::new(at("/sitebuilder/widget/"), "partner-key", &CONSUMER_SECRET.into());
                signer.uri(&[("partner_user_id", "1"), ("email", "john@example.com")]).unwrap()
            }
            10 => {
                let body =
                    json!({"login": "jd@example.com", "firstName": "John", "lastName": "Doe", "token": PRIVATE_KEY});
                let call = client.post(at("/api/auth/autologin")).header("content-type", "application/json");
                _ = call.body(body.to_string()).send().await;
                return;
            }
            _ => current.link(),
        };
        _ = client.get(&link).send().await;
        if number % 16 == 15 {
            _ = client.get(&link).send().await; // a duplicate
        }
    }
}
