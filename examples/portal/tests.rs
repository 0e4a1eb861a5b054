//! Tests that set the clock or close the database, with the application inside the process. All others are over HTTP, in
//! `tests/portal`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::header::{COOKIE, LOCATION, RETRY_AFTER, SET_COOKIE};
use http::{Request, StatusCode, Uri};
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tower::ServiceExt;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sso::clock::{Clock, ManualClock, UnixTime};
use tower_sso::keys::Secret;
use tower_sso::keys::sql::SqlKeyStore;
use tower_sso::sign::{FernetLink, SigningWebhook, generate_fernet_key};

use crate::app::{self, Parts, Portal};
use crate::config::{Config, Connections, DatabaseUrl, Origin};
use crate::db::{self, Database};
use crate::explain::Explainers;
use crate::health::Health;
use crate::kits::Kits;
use crate::serve;
use crate::session::{self, Sessions};
use crate::stores::Stores;
use crate::vendors::lcvista::Lcvista;
use crate::vendors::seatmap::Seatmap;
use crate::vendors::site_builder::SiteBuilder;
use crate::vendors::tutorcruncher::TutorCruncher;
use crate::vendors::waggl::Waggl;
use crate::vendors::{self, Vendor};

#[cfg(unix)]
#[path = "../../tests/support/postgres.rs"]
mod postgres;

const SECRET: &str = "whsec-shared";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

struct Fixture {
    clock: ManualClock,
    portal: Portal,
    app: Router,
    _dir: TempDir,
}

impl Fixture {
    async fn new() -> Self {
        // Starts at the real time, because tower-sessions computes a session's expiry from the system clock.
        let clock = ManualClock::at(tower_sso::clock::SystemClock.now().ceil_to_second());
        let dir = tempfile::tempdir().unwrap();
        let portal = Portal::new(Parts {
            clock: Arc::new(clock.clone()),
            database: Database::open(&db::file_in(dir.path()).unwrap()).await.unwrap(),
            master_keys: None,
            stores: Stores::in_memory(&(Arc::new(clock.clone()) as Arc<dyn Clock>)),
            health: Health::default(),
            metrics: PrometheusBuilder::new().build_recorder().handle(),
            log: None,
            public_url: Origin::try_from("http://portal.example".to_owned()).unwrap(),
            demo: false,
            vendors: vec![Arc::new(TutorCruncher::new(Secret::new(SECRET)))],
            explainers: Explainers::default(),
            kits: Kits::default(),
        });
        let app = app::app(&portal).await.unwrap();
        Self { clock, portal, app, _dir: dir }
    }

    async fn send(&self, request: Request<String>) -> Response {
        self.app.clone().oneshot(request.map(Body::from)).await.unwrap()
    }

    async fn get(&self, path: &str, cookie: &str) -> Response {
        self.send(Request::get(path).header(COOKIE, cookie).body(String::new()).unwrap()).await
    }

    async fn announce(&self, key: &Secret) -> Response {
        let body = json!({
            "company_id": 4321, "fernet_key": String::from_utf8_lossy(key.expose()),
            "admin_email": "ada@example.com", "admin_name": "Ada Admin", "company_name": "DinoTutors",
        });
        let call = SigningWebhook::new(Secret::new(SECRET)).sign(body.to_string());
        self.send(call.request("/tutorcruncher/companies")).await
    }

    async fn sign_in(&self, key: &Secret) -> Response {
        let link = FernetLink::new("/tutorcruncher/sso", "4321", key).issued_at(self.clock.now());
        self.get(&link.uri(&json!({"id": 123, "nm": "Samuel Colvin", "rt": "Contractor"})).unwrap(), "").await
    }
}

fn cookie_of(response: &Response) -> String {
    response.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_previous_key_ends_with_its_grace() {
    let fixture = Fixture::new().await;
    let [previous, current] = [generate_fernet_key(), generate_fernet_key()];
    for key in [&previous, &current] {
        assert_eq!(fixture.announce(key).await.status(), StatusCode::OK);
    }
    fixture.clock.advance(DAY);
    assert_eq!(fixture.sign_in(&previous).await.status(), StatusCode::SEE_OTHER, "last instant of its grace");
    fixture.clock.advance(Duration::from_secs(1));
    assert_eq!(fixture.sign_in(&previous).await.status(), StatusCode::UNAUTHORIZED, "after its grace");
    assert_eq!(fixture.sign_in(&current).await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_session_ends_after_eight_hours_without_a_visit() {
    let fixture = Fixture::new().await;
    let key = generate_fernet_key();
    fixture.announce(&key).await;
    let response = fixture.sign_in(&key).await;
    assert_eq!(response.headers()[LOCATION], "/");
    let cookie = cookie_of(&response);
    assert_eq!(fixture.get("/me", &cookie).await.status(), StatusCode::OK);
    fixture.clock.advance(Duration::from_secs(8 * 60 * 60 + 60));
    assert_eq!(fixture.get("/me", &cookie).await.status(), StatusCode::UNAUTHORIZED);
    session::sweep(&fixture.portal.database, &fixture.clock).await.unwrap();
    let left: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM portal_sessions")
        .fetch_one(&fixture.portal.database.pool)
        .await
        .unwrap();
    assert_eq!(left, 0, "the row is deleted");
}

#[tokio::test]
async fn a_visit_now_and_then_keeps_a_session() {
    let fixture = Fixture::new().await;
    let key = generate_fernet_key();
    fixture.announce(&key).await;
    let cookie = cookie_of(&fixture.sign_in(&key).await);
    let soon = fixture.get("/me", &cookie).await;
    assert!(soon.headers().get(SET_COOKIE).is_none(), "not every visit writes");
    fixture.clock.advance(Duration::from_secs(11 * 60));
    let later = fixture.get("/me", &cookie).await;
    assert_eq!(cookie_of(&later), cookie, "extended under the same id");
}

#[tokio::test]
async fn a_database_that_fails_is_unavailable_and_uses_no_call_up() {
    let fixture = Fixture::new().await;
    let [first, key] = [generate_fernet_key(), generate_fernet_key()];
    fixture.announce(&first).await;
    let cookie = cookie_of(&fixture.sign_in(&first).await);
    assert_eq!(fixture.get("/healthz", "").await.status(), StatusCode::OK);
    fixture.portal.database.close().await;
    for attempt in ["the first delivery", "the retry, which must not be acknowledged as processed"] {
        let response = fixture.announce(&key).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{attempt}");
        assert!(response.headers().contains_key(RETRY_AFTER), "{attempt}");
    }
    fixture.clock.advance(Duration::from_secs(1));
    assert_eq!(fixture.sign_in(&first).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(fixture.get("/me", &cookie).await.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_cookie_that_somebody_has_made_up_asks_nobody() {
    let fixture = Fixture::new().await;
    let key = generate_fernet_key();
    fixture.announce(&key).await;
    let cookie = cookie_of(&fixture.sign_in(&key).await);
    assert_eq!(fixture.get("/me", &cookie).await.status(), StatusCode::OK);
    // From here on, any query fails.
    fixture.portal.database.close().await;
    let unsigned = "portal_session=AAAAAAAAAAAAAAAAAAAAAA".to_owned();
    for made_up in [unsigned, cookie.replacen(char::is_alphabetic, "#", 20)] {
        assert_eq!(fixture.get("/me", &made_up).await.status(), StatusCode::UNAUTHORIZED, "{made_up}");
    }
    assert_eq!(fixture.get("/me", &cookie).await.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn health_is_asked_for_once_a_second() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.get("/healthz", "").await.status(), StatusCode::OK);
    fixture.portal.database.close().await;
    fixture.clock.advance(Duration::from_millis(999));
    assert_eq!(fixture.get("/healthz", "").await.status(), StatusCode::OK, "cached");
    fixture.clock.advance(Duration::from_millis(1));
    assert_eq!(fixture.get("/healthz", "").await.status(), StatusCode::SERVICE_UNAVAILABLE);
}

/// Opens the database eight times at once, like eight processes.
async fn open_together(url: &DatabaseUrl) {
    let mut nodes = JoinSet::new();
    for _ in 0..8 {
        let url = url.clone();
        nodes.spawn(async move {
            let database = Database::open(&url).await.map_err(|error| error.to_string())?;
            let keys = SqlKeyStore::new(database.pool.clone(), "partner");
            keys.migrate().await.map_err(|error| error.to_string())?;
            let secret = database.secret("partner.secret").await.map_err(|error| error.to_string())?;
            database.close().await;
            Ok::<_, String>(secret.expose().to_vec())
        });
    }
    let mut secrets = HashSet::new();
    while let Some(secret) = nodes.join_next().await {
        secrets.insert(secret.unwrap().expect("it does not start"));
    }
    assert_eq!(secrets.len(), 1, "all see the same secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_at_once_open_a_new_file() {
    for _ in 0..20 {
        let dir = tempfile::tempdir().unwrap();
        open_together(&db::file_in(dir.path()).unwrap()).await;
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn eight_at_once_open_a_new_postgres() {
    for _ in 0..20 {
        let url = postgres::shared().fresh_database();
        open_together(&DatabaseUrl::try_from(url).unwrap()).await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a b.db");
    let url = format!("sqlite://{}", path.display().to_string().replace(' ', "%20"));
    let database = Database::open(&DatabaseUrl::try_from(url).unwrap()).await.unwrap();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", entry.path().display());
    }
    assert!(path.exists());
    database.close().await;
}

#[tokio::test]
async fn the_session_store_keeps_its_promises() {
    let fixture = Fixture::new().await;
    let sessions = Sessions::new(fixture.portal.database.clone(), Arc::new(fixture.clock.clone()));
    let ends = time::OffsetDateTime::from_unix_timestamp(fixture.clock.now().as_secs() + 60).unwrap();
    let record = |id, value: &str| Record {
        id: Id(id),
        data: [("k".to_owned(), json!(value))].into_iter().collect(),
        expiry_date: ends,
    };
    let mut first = record(1, "first");
    sessions.create(&mut first).await.unwrap();
    assert_eq!(sessions.load(&Id(1)).await.unwrap(), Some(first.clone()));

    let mut second = record(1, "second");
    sessions.create(&mut second).await.unwrap();
    assert_ne!(second.id, Id(1), "a taken id is replaced");
    assert_eq!(sessions.load(&Id(1)).await.unwrap(), Some(first.clone()), "the first is unchanged");
    assert_eq!(sessions.load(&second.id).await.unwrap(), Some(second));

    sessions.save(&record(1, "changed")).await.unwrap();
    assert_eq!(sessions.load(&Id(1)).await.unwrap(), Some(record(1, "changed")));
    sessions.delete(&Id(1)).await.unwrap();
    sessions.save(&first).await.unwrap();
    assert_eq!(sessions.load(&Id(1)).await.unwrap(), None, "a deleted session does not come back");

    let mut ended = record(3, "ended");
    sessions.create(&mut ended).await.unwrap();
    fixture.clock.set(UnixTime::from_secs(ends.unix_timestamp().try_into().unwrap()));
    assert_eq!(sessions.load(&Id(3)).await.unwrap(), None, "expired");
}

#[tokio::test]
async fn the_page_shows_the_code_that_runs() {
    let fixture = Fixture::new().await;
    let response = fixture.get("/", "").await;
    let page = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let page = String::from_utf8(page.to_vec()).unwrap();
    for line in ["tutorcruncher::sign_up(", "tutorcruncher::sso(", "get(land).layer(sso)"] {
        assert!(page.contains(line), "{line}");
    }
}

#[test]
fn an_excerpt_is_cut_out_and_moved_to_the_left() {
    let source = "a\n    // [x]\n    b {\n\n        c\n    }\n    // [/x]\nd\n";
    assert_eq!(vendors::excerpt(source, "x"), "b {\n\n    c\n}");
    assert_eq!(vendors::excerpt(source, "y"), "");
}

/// The vendors that a configuration asks for.
fn names(configuration: &str) -> Vec<&'static str> {
    Config::parse(configuration).unwrap().vendors.iter().map(|vendor| vendor.name()).collect()
}

/// One vendor's part of a configuration.
fn of<V: Vendor + Default>(configuration: &str) -> V {
    let mut vendor = V::default();
    vendors::configure(&mut vendor, &mut toml::de::DeTable::parse(configuration).unwrap()).unwrap();
    vendor
}

#[test]
fn the_sample_configuration_is_one_once_its_secret_is_filled_in() {
    let sample = include_str!("portal.example.toml");
    let blank = Config::parse(sample).unwrap_err();
    assert!(blank.message().contains("blank secret"), "{blank}");
    let filled = sample.replacen("[\"\"]", "[\"a secret\"]", 1);
    assert_eq!(names(&filled), ["tutorcruncher"]);
    // The sample shows the defaults as comments.
    let given: String = filled.lines().map(|line| line.trim_start_matches("#= ")).collect::<Vec<_>>().join("\n");
    let grace = of::<TutorCruncher>(&given).section.unwrap().key_grace;
    let (given, default) = (Config::parse(&given).unwrap(), Config::default());
    assert_eq!(given.listen, default.listen);
    assert_eq!(given.public_url, Some(Origin::of_listener(default.listen)));
    assert_eq!(given.connections, default.connections);
    assert_eq!(grace, DAY);
}

#[test]
fn the_samples_other_sections_are_ones_once_they_are_uncommented() {
    let is_code =
        |line: &str| line.starts_with('[') || line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
    let uncommented = |line: &'static str| line.strip_prefix("# ").filter(|line| is_code(line)).unwrap_or(line);
    let sample: Vec<&str> = include_str!("portal.example.toml").lines().map(uncommented).collect();
    let filled = sample.join("\n").replace("[\"\"]", "[\"a secret\"]");
    assert_eq!(names(&filled), ["tutorcruncher", "lcvista", "site_builder", "waggl", "seatmap"]);
    let counts = [
        of::<SiteBuilder>(&filled).sections.len(),
        of::<Waggl>(&filled).sections.len(),
        of::<Lcvista>(&filled).sections.len(),
        of::<Seatmap>(&filled).sections.len(),
    ];
    assert_eq!(counts, [1, 1, 1, 1]);
}

#[tokio::test]
async fn who_sends_many_requests_at_once_does_not_go_before_others() {
    use std::io::Write;
    let served = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&served);
    let app = Router::new().fallback(move |uri: Uri| async move { seen.lock().unwrap().push(uri.path().to_owned()) });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let send = |path: &str, times: usize| {
        let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").repeat(times).as_bytes()).unwrap();
        client
    };
    let clients = [send("/many", 100), send("/one", 1)];
    let both = async {
        while served.lock().unwrap().len() < 101 {
            tokio::task::yield_now().await;
        }
    };
    serve::serve(listener, app, &Connections::default(), both).await;
    drop(clients);
    let before = served.lock().unwrap().iter().position(|path| path == "/one").unwrap();
    assert!(before < 10, "{before} requests of the other client came first");
}

#[tokio::test]
async fn secrets_are_made_once_for_each_database() {
    let [one, other] = [Fixture::new().await, Fixture::new().await];
    let secret = one.portal.database.secret("s").await.unwrap();
    assert_eq!(secret.expose().len(), 44);
    assert_eq!(one.portal.database.secret("s").await.unwrap(), secret);
    assert_ne!(other.portal.database.secret("s").await.unwrap(), secret);
}
