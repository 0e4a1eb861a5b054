//! Samples of the forms with a credential in the body, and of tickets.

use super::*;

/// TutorCruncher: the body of a sign-up.
pub struct Webhook;

pub const WEBHOOK_SECRET: &str = "whsec-shared-with-the-sender";

fn sign(body: String) -> Sent {
    SigningWebhook::new(WEBHOOK_SECRET.into()).sign(body).request("/companies").map(|body| Full::new(body.into()))
}

fn resigned(request: &Sent, signature: &str) -> Sent {
    let mut request = request.clone();
    request.headers_mut().insert("webhook-signature", HeaderValue::from_str(signature).unwrap());
    request
}

impl Sample for Webhook {
    type Form = webhook::Webhook<tutorcruncher::CompanySignup>;
    const NAME: &'static str = "webhook";

    fn layer(replay: impl ReplayStore) -> VerifyLayer<Self::Form> {
        tutorcruncher::sign_up([Self::key()]).replay(replay).handler_remembers().build().unwrap()
    }

    fn key() -> Secret {
        WEBHOOK_SECRET.into()
    }

    fn keys() -> Arc<dyn KeyStore> {
        Arc::new(FixedKeys::new([Self::key()]))
    }

    fn request(longer: usize) -> Sent {
        let filler = "x".repeat(longer);
        sign(format!(
            r#"{{"company_id": 4321, "fernet_key": "{FERNET_KEY}", "admin_email": "ada@example.com", "admin_name": "Ada Lovelace", "company_name": "Example Tutors{filler}"}}"#
        ))
    }

    fn raw_mac(request: &Sent) -> Box<dyn Fn() -> usize> {
        prekeyed::<Hmac<Sha256>>(WEBHOOK_SECRET.as_bytes(), body(request).into())
    }

    fn of_tenant(_: &Sent, _: &str) -> Option<Sent> {
        None
    }

    fn with(request: &Sent, credential: &str) -> Sent {
        resigned(request, credential)
    }

    fn credential(request: &Sent) -> String {
        request.headers()["webhook-signature"].to_str().unwrap().to_owned()
    }
}

/// An opaque body of 64 KiB.
pub struct LargeWebhook;

impl Sample for LargeWebhook {
    type Form = webhook::Webhook<webhook::RawBody>;
    const NAME: &'static str = "webhook_64_kib";

    fn layer(replay: impl ReplayStore) -> VerifyLayer<Self::Form> {
        webhook::layer().secrets([Self::key()]).replay(replay).handler_remembers().build().unwrap()
    }

    fn key() -> Secret {
        WEBHOOK_SECRET.into()
    }

    fn keys() -> Arc<dyn KeyStore> {
        Arc::new(FixedKeys::new([Self::key()]))
    }

    fn request(_: usize) -> Sent {
        sign("x".repeat(64 * 1024))
    }

    fn raw_mac(request: &Sent) -> Box<dyn Fn() -> usize> {
        Webhook::raw_mac(request)
    }

    fn of_tenant(_: &Sent, _: &str) -> Option<Sent> {
        None
    }

    fn with(request: &Sent, credential: &str) -> Sent {
        resigned(request, credential)
    }

    fn credential(request: &Sent) -> String {
        Webhook::credential(request)
    }
}

/// seatmap.pro: a private key in a JSON body. There is no MAC: the lower bound is the digest of the key.
pub struct SharedSecret;

const PRIVATE_KEY: &str = "k-9f86d081884c7d659a2feaa0c55ad015";

impl Sample for SharedSecret {
    type Form = shared_secret::SharedSecret<seatmap::SeatmapLogin>;
    const NAME: &'static str = "shared_secret";

    fn layer(_: impl ReplayStore) -> VerifyLayer<Self::Form> {
        let keys = PrivateKeys::new().with("default", [PRIVATE_KEY]).unwrap();
        seatmap::autologin(keys).build().unwrap()
    }

    fn key() -> Secret {
        shared_secret::TokenDigest::of(&PRIVATE_KEY.into()).secret()
    }

    fn keys() -> Arc<dyn KeyStore> {
        // The form looks its key up itself.
        Arc::new(MemoryKeys::new())
    }

    fn request(_: usize) -> Sent {
        let body =
            format!(r#"{{"login":"jd@seatmap.pro","firstName":"John","lastName":"Doe","token":"{PRIVATE_KEY}"}}"#);
        let request = Request::builder().method(Method::POST).uri("/api/auth/autologin");
        request.header("content-type", "application/json").body(Full::new(body.into())).unwrap()
    }

    fn raw_mac(_: &Sent) -> Box<dyn Fn() -> usize> {
        Box::new(|| std::hint::black_box(Sha256::digest(std::hint::black_box(PRIVATE_KEY))).len())
    }

    fn of_tenant(_: &Sent, _: &str) -> Option<Sent> {
        None
    }

    fn with(request: &Sent, credential: &str) -> Sent {
        let text = String::from_utf8(body(request).into()).unwrap().replace(PRIVATE_KEY, credential);
        request.clone().map(|_| Full::new(text.into()))
    }

    fn credential(_: &Sent) -> String {
        PRIVATE_KEY.into()
    }
}

/// A one-time ticket, from a store that returns it every time.
pub struct Ticket;

const RANDOM: &[u8; 32] = b"01234567890123456789012345678901";
const TICKET: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";
const CLAIMS: &str = r#"{"email":"ada@acme.example","partner_user_id":"8675309"}"#;

/// It hashes nothing, so that only the layer's own digests are measured.
struct OneTicket {
    digest: [u8; 32],
    payload: Vec<u8>,
}

impl TicketStore for OneTicket {
    fn put(&self, _: NewTickets) -> StoreFuture<Result<(), StoreError>> {
        StoreFuture::ready(Err(StoreError::full()))
    }

    fn look(&self, digest: TicketDigest, now: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        self.take(digest, now)
    }

    fn take(&self, digest: TicketDigest, _: UnixTime) -> StoreFuture<Result<Option<Vec<u8>>, StoreError>> {
        let known = *digest.as_bytes() == self.digest;
        StoreFuture::ready(Ok(known.then(|| self.payload.clone())))
    }
}

/// The layer's claims.
fn the_digest() -> tower_sso::replay::Fingerprint {
    let mut fingerprint = tower_sso::replay::FingerprintHasher::new("ticket");
    fingerprint.part(RANDOM);
    fingerprint.finish()
}

impl Sample for Ticket {
    type Form = ticket::Ticket<site_builder::SiteBuilderUser>;
    const NAME: &'static str = "ticket";

    fn layer(_: impl ReplayStore) -> VerifyLayer<Self::Form> {
        let store = OneTicket { digest: *the_digest().as_bytes(), payload: format!("\"acme\"\n{CLAIMS}").into_bytes() };
        ticket::layer(Tickets::new(store)).build().unwrap()
    }

    fn key() -> Secret {
        Secret::new([the_digest().as_bytes().as_slice(), CLAIMS.as_bytes()].concat())
    }

    fn keys() -> Arc<dyn KeyStore> {
        // The form looks its key up itself.
        Arc::new(MemoryKeys::new())
    }

    fn request(_: usize) -> Sent {
        get(&format!("/enter?ticket={TICKET}"))
    }

    fn raw_mac(_: &Sent) -> Box<dyn Fn() -> usize> {
        Box::new(|| std::hint::black_box(Sha256::digest(std::hint::black_box(RANDOM))).len())
    }

    fn of_tenant(_: &Sent, _: &str) -> Option<Sent> {
        None
    }

    fn with(request: &Sent, credential: &str) -> Sent {
        with_parameter(request, "ticket", credential)
    }

    fn credential(_: &Sent) -> String {
        TICKET.into()
    }
}
