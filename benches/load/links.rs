//! The partners' requests: a new credential of each vendor, signed now. The user is always the same, so that both servers do
//! the same work behind the layers.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use serde_json::json;
use tower_sso::clock::{Clock, SystemClock};
use tower_sso::jwt::Algorithm;
use tower_sso::providers;
use tower_sso::sign::{FernetLink, HashedLink, JwtSigner, OAuthLink, SigningWebhook};

use crate::settings::{self, COMPANY, CONSUMER, FERNET_KEY, LCVISTA_EMAIL, PRIVATE_KEY, SLUG, SURVEY};

pub(crate) type Sent = Request<Full<Bytes>>;

/// A login route, and the status of a successful login.
pub(crate) struct Login {
    pub(crate) name: &'static str,
    pub(crate) status: StatusCode,
    request: fn(&str, u64) -> Sent,
}

pub(crate) const LOGINS: [Login; 5] = [
    Login { name: "tutorcruncher: Fernet link", status: StatusCode::SEE_OTHER, request: tutorcruncher },
    Login { name: "waggl: JWT", status: StatusCode::SEE_OTHER, request: waggl },
    Login { name: "lcvista: timestamp hash", status: StatusCode::SEE_OTHER, request: lcvista },
    Login { name: "site_builder: OAuth 1.0a", status: StatusCode::OK, request: site_builder },
    Login { name: "seatmap: private key", status: StatusCode::OK, request: seatmap },
];

impl Login {
    /// Creates this many new requests to this server.
    pub(crate) fn requests(&self, origin: &str, count: usize) -> Vec<Sent> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        (0..count).map(|_| (self.request)(origin, NEXT.fetch_add(1, Ordering::Relaxed))).collect()
    }
}

/// The sign-up webhook that delivers the company's key.
pub(crate) fn company() -> Sent {
    let body = json!({
        "company_id": COMPANY.parse::<i64>().unwrap(), "fernet_key": FERNET_KEY, "admin_email": "ada@example.com",
        "admin_name": "Ada Admin", "company_name": "DinoTutors",
    });
    let call = SigningWebhook::new(settings::webhook_secret()).sign(body.to_string());
    call.request("/tutorcruncher/companies").map(Full::from)
}

/// Random bytes make each token unique.
pub(crate) fn tutorcruncher(origin: &str, _: u64) -> Sent {
    let now = SystemClock.now().as_secs();
    let claims = json!({
        "rt": "Contractor", "nm": "Samuel Colvin", "id": 123, "role_id": 77, "ts": now, "tz": "Europe/London",
        "br_id": 3492, "br_nm": "DinoTutors: Dino Centre", "e": "sam@example.com",
    });
    let link = FernetLink::new("/tutorcruncher/sso", COMPANY, &settings::fernet_key());
    get(origin, &link.uri(&claims).unwrap())
}

/// The number makes tokens of the same second unique.
pub(crate) fn waggl(origin: &str, number: u64) -> Sent {
    let now = SystemClock.now().as_secs();
    let claims = json!({
        "data": {"email": "bob@yourcompany.com", "tags": {"Department": "Sales"}}, "jti": format!("{number:08}"),
        "iat": now, "nbf": now - 180, "exp": now + 300, "aud": "www.waggl.com",
    });
    let token = JwtSigner::new(Algorithm::HS512, &settings::waggl_secret()).unwrap().token(&claims).unwrap();
    get(origin, &format!("/i/{SURVEY}?sso_jwt={token}"))
}

/// The number serves as microseconds, which makes links of the same second unique.
pub(crate) fn lcvista(origin: &str, number: u64) -> Sent {
    let timestamp = format!("{}.{:06}", SystemClock.now().as_secs(), number % 1_000_000);
    let link = HashedLink::new("/sso/oauth/", providers::lcvista::recipe(), &settings::lcvista_secret());
    get(origin, &link.uri(&[&timestamp, LCVISTA_EMAIL, SLUG]))
}

/// Each has its own nonce.
pub(crate) fn site_builder(origin: &str, _: u64) -> Sent {
    let address = format!("{origin}/sitebuilder/widget/");
    let parameters = [
        ("partner_user_id", "1234567890"),
        ("email", "john@example.com"),
        ("first_name", "John"),
        ("last_name", "Doe"),
        ("partner_site_ids", "12345,23145"),
    ];
    let link = OAuthLink::new(address, CONSUMER, &settings::consumer_secret()).uri(&parameters).unwrap();
    get(origin, link.strip_prefix(origin).unwrap())
}

/// The key may be sent again.
pub(crate) fn seatmap(origin: &str, _: u64) -> Sent {
    let body = json!({"login": "jd@seatmap.pro", "firstName": "John", "lastName": "Doe", "token": PRIVATE_KEY});
    let request = Request::post("/api/auth/autologin").header(header::HOST, host(origin));
    request.header(header::CONTENT_TYPE, "application/json").body(body.to_string().into()).unwrap()
}

fn get(origin: &str, address: &str) -> Sent {
    Request::get(address).header(header::HOST, host(origin)).body(Full::default()).unwrap()
}

fn host(origin: &str) -> &str {
    origin.trim_start_matches("http://")
}
