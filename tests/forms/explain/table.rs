//! Each form has an answer to each of the suspects that are the same for all, or a reason why it has none.

use bytes::Bytes;
use futures::FutureExt;
use http::request::Parts;
use http_body_util::BodyExt;
use tower_sso::VerifyLayer;
use tower_sso::clock::UnixTime;
use tower_sso::explain;
use tower_sso::form::Form;
use tower_sso::keys::{Key, Keys, MemoryKeys, Secret};
use tower_sso::sign::Signs;

use crate::support::subject::{
    FernetSubject, HttpSignatureSubject, JwtSubject, JwtWebhookSubject, OAuth1Subject, SealedSubject,
    SharedSecretSubject, SignedJsonSubject, SignedParametersSubject, SignedPayloadSubject, Subject, TicketSubject,
    TimestampHashSubject, WebhookSubject, Wish,
};
use crate::support::{NOW, clock, replay};

/// What is said, or why this cannot happen.
type Cell = Result<&'static str, &'static str>;

const NAMED: Cell = Ok("the key of tenant \"other\"");
const ENDED: Cell = Ok("a key that has ended");
const OLD: Cell = Ok("ago");
const EARLY: Cell = Ok("ahead of this one");
const CASE: Cell = Ok("one of the name \"acme\"");
const NO_TIME: Cell = Err("its credentials have no time");
const ITSELF: Cell = Err("the credential itself says whose it is");

/// Another tenant's key, a key that has ended, an old request, one from the future, and the tenant in capitals.
const TABLE: [(&str, [Cell; 5]); 13] = [
    ("fernet", [NAMED, ENDED, OLD, EARLY, CASE]),
    ("http_signature", [NAMED, ENDED, OLD, EARLY, CASE]),
    ("jwt", [NAMED, ENDED, OLD, Err("its time is when it ends"), CASE]),
    ("jwt_webhook", [NAMED, ENDED, OLD, EARLY, CASE]),
    ("oauth1", [NAMED, ENDED, OLD, EARLY, CASE]),
    ("sealed", [NAMED, ENDED, OLD, EARLY, CASE]),
    ("shared_secret", [ITSELF, ENDED, NO_TIME, NO_TIME, ITSELF]),
    ("signed_json", [NAMED, ENDED, OLD, EARLY, CASE]),
    ("signed_parameters", [NAMED, ENDED, OLD, EARLY, CASE]),
    ("signed_payload", [NAMED, ENDED, OLD, EARLY, CASE]),
    ("ticket", [ITSELF, ITSELF, NO_TIME, NO_TIME, ITSELF]),
    ("timestamp_hash", [NAMED, ENDED, OLD, EARLY, CASE]),
    ("webhook", [NAMED, ENDED, NO_TIME, NO_TIME, CASE]),
];

/// `acme` with a key that has ended, and `other`.
fn keys<S: Subject>() -> MemoryKeys {
    let keys = MemoryKeys::new().with("other", S::key(2));
    let ended = Key::previous(S::key(1), UnixTime::from_secs(NOW - 60));
    let acme: Keys = [Key::current(S::key(0)), ended].into_iter().collect();
    keys.set("acme", acme);
    keys
}

fn request<S: Subject>(wish: &Wish) -> (Parts, Bytes) {
    let (head, body) = S::request(wish).into_parts();
    (head, body.collect().now_or_never().unwrap().unwrap().to_bytes())
}

async fn row<S: Subject, F: Form, C>(layer: &VerifyLayer<F, C>) -> &'static str {
    let (name, cells) = TABLE.iter().find(|(name, _)| *name == S::NAME).unwrap_or_else(|| panic!("{}", S::NAME));
    let at = |seconds| UnixTime::from_secs(seconds);
    let wishes = [
        Wish { key: 2, ..Wish::default() },
        Wish { key: 1, ..Wish::default() },
        Wish { issued_at: at(NOW - 7_000), ..Wish::default() },
        Wish { issued_at: at(NOW + 7_000), ..Wish::default() },
        Wish { tenant: "ACME", ..Wish::default() },
    ];
    for (wish, cell) in wishes.iter().zip(cells) {
        let (head, body) = request::<S>(wish);
        let said = explain::request(layer, &head, &body).await;
        match cell {
            Ok(expected) => {
                let cause = said.cause().unwrap_or_default();
                assert!(cause.contains(expected), "{name}: {expected}: {said}");
            }
            // What cannot happen passes, or says that nothing is known under this credential.
            Err(why) => {
                let cause = said.cause().unwrap_or("nothing is known");
                assert!(cause.contains("nothing is known") || *name == "jwt", "{name}: {why}: {said}");
            }
        }
    }
    name
}

#[tokio::test]
async fn suspects_of_every_form() {
    let mut seen = Vec::new();
    macro_rules! rows {
        ($($subject:ident)*) => {
            $(let layer = $subject::layer(keys::<$subject>(), replay(), clock()).build().unwrap();
            seen.push(row::<$subject, _, _>(&layer).await);)*
        };
    }
    rows!(FernetSubject HttpSignatureSubject JwtSubject JwtWebhookSubject OAuth1Subject SealedSubject SignedJsonSubject
        SignedParametersSubject SignedPayloadSubject TimestampHashSubject WebhookSubject);
    let layer = SharedSecretSubject::layer(keys::<SharedSecretSubject>(), clock()).build().unwrap();
    seen.push(row::<SharedSecretSubject, _, _>(&layer).await);
    seen.push(row::<TicketSubject, _, _>(&TicketSubject::layer(clock()).build().unwrap()).await);
    seen.sort_unstable();
    assert_eq!(seen, TABLE.map(|(name, _)| name));
}

/// No form is without suspects of its own.
#[tokio::test]
async fn every_form_has_settings_that_partners_get_wrong() {
    macro_rules! counts {
        ($($subject:ident)*) => {
            $(let layer = $subject::layer(keys::<$subject>(), replay(), clock()).build().unwrap();
            let (head, body) = request::<$subject>(&Wish::default());
            assert!(!layer.form().near_misses(&head, &body).is_empty(), "{}", $subject::NAME);)*
        };
    }
    counts!(FernetSubject HttpSignatureSubject JwtSubject JwtWebhookSubject OAuth1Subject SealedSubject SignedJsonSubject
        SignedParametersSubject SignedPayloadSubject TimestampHashSubject WebhookSubject);
    let layer = SharedSecretSubject::layer(keys::<SharedSecretSubject>(), clock()).build().unwrap();
    let (head, body) = request::<SharedSecretSubject>(&Wish::default());
    assert!(!layer.form().near_misses(&head, &body).is_empty());
    // A ticket's suspects depend on what else is in the query.
    let (mut head, body) = request::<TicketSubject>(&Wish::default());
    head.uri = head.uri.to_string().replace("ticket=", "other=").parse().unwrap();
    assert!(!TicketSubject::layer(clock()).build().unwrap().form().near_misses(&head, &body).is_empty());
}

/// A copy of the secret with a line feed at its end.
#[tokio::test]
async fn secrets_that_were_copied_wrongly() {
    async fn check<S: Subject, F: Signs, C>(layer: &VerifyLayer<F, C>) {
        let copied = [S::key(0).expose(), b"\n"].concat();
        let claims = serde_json::json!({"id": "1", "sub": "1", "s_sub": "1", "email": "1"});
        let signer = layer.signer(&Secret::verbatim(copied));
        let request = signer.tenant("acme").request("https://rp.example/in", &claims);
        let (head, body) = request.unwrap_or_else(|error| panic!("{}: {error}", S::NAME)).into_parts();
        let head = as_received(head);
        let said = explain::request(layer, &head, &body).await;
        assert!(said.cause().unwrap_or_default().contains("ends with a line feed"), "{}: {said}", S::NAME);
    }
    macro_rules! check {
        ($($subject:ident)*) => {
            $(let layer = $subject::layer(keys::<$subject>(), replay(), clock()).build().unwrap();
            check::<$subject, _, _>(&layer).await;)*
        };
    }
    check!(HttpSignatureSubject JwtSubject JwtWebhookSubject OAuth1Subject SealedSubject SignedJsonSubject
        SignedParametersSubject SignedPayloadSubject TimestampHashSubject WebhookSubject);
}

/// A URI as a server reads it.
fn as_received(mut head: Parts) -> Parts {
    head.headers.insert("host", "rp.example".parse().unwrap());
    // Where the form's subject does not name the tenant in the query.
    head.headers.insert("x-tenant", "acme".parse().unwrap());
    head.uri = head.uri.path_and_query().unwrap().as_str().parse().unwrap();
    head
}

/// A link or a header that lost its end, which is the signature's or the tag's in every form.
#[tokio::test]
async fn credentials_that_were_cut() {
    fn cut(name: &str, (mut head, body): (Parts, Bytes)) -> (Parts, Bytes) {
        let shorter = |value: &str| value[..value.len() - 9].to_owned();
        if let Some(value) = head.headers.get(name) {
            let value = shorter(value.to_str().unwrap());
            head.headers.insert(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
            return (head, body);
        }
        let uri = head.uri.to_string();
        let (before, rest) = uri.split_once(&format!("{name}=")).unwrap();
        let (value, after) = rest.split_once('&').unwrap_or((rest, ""));
        head.uri = format!("{before}{name}={}&{after}", shorter(value)).parse().unwrap();
        (head, body)
    }
    async fn check<F: Form, C>(layer: &VerifyLayer<F, C>, (head, body): (Parts, Bytes)) {
        let said = explain::request(layer, &head, &body).await;
        assert!(said.cause().unwrap_or_default().contains("its end was cut off"), "{}: {said}", F::NAME);
    }
    macro_rules! check {
        ($($subject:ident $name:literal)*) => {
            $(let layer = $subject::layer(keys::<$subject>(), replay(), clock()).build().unwrap();
            check(&layer, cut($name, request::<$subject>(&Wish::default()))).await;)*
        };
    }
    check!(FernetSubject "token" JwtSubject "sso_jwt" OAuth1Subject "oauth_signature" SealedSubject "token"
        SignedParametersSubject "sig" SignedPayloadSubject "token" TimestampHashSubject "hash"
        WebhookSubject "webhook-signature");
    check(&TicketSubject::layer(clock()).build().unwrap(), cut("ticket", request::<TicketSubject>(&Wish::default())))
        .await;
}
