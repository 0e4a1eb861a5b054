//! What every preset of a sender keeps: one table, a row for each promise, over all presets.

use bytes::Bytes;
use http::Method;
use http_body_util::{BodyExt, Full};
use tower_sso::clock::{ManualClock, UnixTime};

use super::presets;
use crate::support::{App, NOW, Request_, clock, outcome, secs};

/// A preset, and how its sender signs.
pub(crate) trait Preset {
    /// The function's, without `danger_`.
    fn name(&self) -> &'static str;
    /// Two that the sender may have, as its page shows them.
    fn secrets(&self) -> [&'static str; 2];
    fn facts(&self) -> Facts;
    fn app(&self, clock: &ManualClock, secrets: &[&'static str]) -> App;
    fn request(&self, delivery: &Delivery) -> Request_;
    /// The request with one byte changed, for every byte that is signed or is the signature.
    fn tampered(&self, delivery: &Delivery) -> Vec<(String, Request_)>;
}

/// A delivery before it is signed.
#[derive(Clone)]
pub(crate) struct Delivery {
    /// One signature for each, if the sender writes several.
    pub(crate) keys: Vec<&'static str>,
    /// Which event it is, 1 or 2.
    pub(crate) event: usize,
    pub(crate) time: u64,
    /// Without a body, whatever the event.
    pub(crate) is_empty: bool,
}

/// What differs from one preset to the next.
#[derive(Clone, Copy)]
pub(crate) struct Facts {
    /// Whether duplicates are processed.
    pub(crate) every_delivery: bool,
    pub(crate) retries: Retries,
    /// In seconds; `None` if no time is signed.
    pub(crate) max_age: Option<u64>,
    /// In seconds: how far ahead a time may be.
    pub(crate) skew: u64,
    /// Whether the sender writes several signatures.
    pub(crate) several: bool,
    pub(crate) any_content_type: bool,
    /// Whether a secret goes along, and whoever has it may send anything.
    pub(crate) signs_nothing: bool,
    pub(crate) optional_body: bool,
    /// In bytes, of a body.
    pub(crate) limit: usize,
    /// The status of the same delivery by GET.
    pub(crate) by_get: u16,
}

/// What a sender's second attempt to deliver an event is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Retries {
    /// The same bytes, as no time is signed and the body does not change.
    Same,
    /// Signed with a new time, or in a body that has changed, and known by the event's id.
    Known,
    /// Signed with a new time, or in a body that has changed, and processed again, as there is no id: why.
    New(&'static str),
}

pub(crate) const MIB: usize = 1024 * 1024;

impl Facts {
    pub(crate) const USUAL: Self = Self {
        every_delivery: false,
        retries: Retries::Same,
        max_age: None,
        skew: 60,
        several: false,
        any_content_type: false,
        signs_nothing: false,
        optional_body: false,
        limit: MIB,
        by_get: 405,
    };
}

impl Delivery {
    /// The first event, signed with this secret, now.
    pub(crate) fn by(key: &'static str) -> Self {
        Self { keys: vec![key], event: 1, time: NOW, is_empty: false }
    }
}

/// An app that accepts the first secret, and a delivery that was signed with it.
fn start(preset: &dyn Preset) -> (App, Delivery) {
    let [one, _] = preset.secrets();
    (preset.app(&clock(), &[one]), Delivery::by(one))
}

async fn send(app: &App, request: Request_) -> &'static str {
    outcome(&app.send(request).await)
}

macro_rules! for_every_preset {
    ($($(#[$doc:meta])* async fn $row:ident($preset:ident) $body:block)*) => {
        $($(#[$doc])* #[tokio::test] async fn $row() {
            for preset in presets() {
                let $preset = &*preset;
                $body
            }
        })*
    };
}

for_every_preset! {
    async fn a_fresh_delivery_is_processed_and_duplicates_are_not(preset) {
        let (app, delivery) = start(preset);
        for attempt in 1..=3 {
            assert_eq!(send(&app, preset.request(&delivery)).await, "ok", "{}", preset.name());
            let expected = if preset.facts().every_delivery { attempt } else { 1 };
            assert_eq!(app.inner.calls(), expected, "{}: attempt {attempt}", preset.name());
        }
        let before = app.inner.calls();
        let other = Delivery { event: 2, ..delivery };
        assert_eq!(send(&app, preset.request(&other)).await, "ok", "{}: another event", preset.name());
        assert_eq!(app.inner.calls(), before + 1, "{}: another event", preset.name());
    }

    /// Those that come while the first is processed are told to come again.
    async fn of_deliveries_that_race_one_is_processed(preset) {
        let (app, delivery) = start(preset);
        let racing = (0..8).map(|_| {
            let (app, request) = (app.clone(), preset.request(&delivery));
            tokio::spawn(async move { send(&app, request).await })
        });
        for one in racing.collect::<Vec<_>>() {
            let said = one.await.unwrap();
            assert!(matches!(said, "ok" | "unavailable"), "{}: {said}", preset.name());
        }
        let expected = if preset.facts().every_delivery { 8 } else { 1 };
        assert_eq!(app.inner.calls(), expected, "{}", preset.name());
    }

    async fn a_retry_with_a_new_time_and_signature_is_known_by_its_id(preset) {
        let Facts { retries, every_delivery, max_age, .. } = preset.facts();
        let (clock, [one, other]) = (clock(), preset.secrets());
        let app = preset.app(&clock, &[other, one]);
        let retry = async |hours: u64, key| {
            clock.set(UnixTime::from_secs(NOW).plus(secs(hours * 3_600)));
            let retry = Delivery { time: NOW + hours * 3_600, ..Delivery::by(key) };
            assert_eq!(send(&app, preset.request(&retry)).await, "ok", "{} after {hours} h", preset.name());
        };
        for hours in [0, 1, 20] {
            retry(hours, one).await;
        }
        let is_new = every_delivery || matches!(retries, Retries::New(_));
        assert_eq!(app.inner.calls(), if is_new { 3 } else { 1 }, "{}", preset.name());
        let has_time = max_age.is_some();
        match retries {
            Retries::Same => assert!(every_delivery || !has_time, "{}: say what becomes of a retry", preset.name()),
            Retries::New(why) => assert!(!why.is_empty(), "{}", preset.name()),
            Retries::Known => {}
        }
        if matches!(retries, Retries::Known) {
            retry(21, other).await;
            assert_eq!(app.inner.calls(), 1, "{}: under another key, in a rotation", preset.name());
        }
    }

    async fn of_several_signatures_one_has_to_be_right(preset) {
        let [one, other] = preset.secrets();
        for (keys, expected) in [(vec![other, one], "ok"), (vec![one, other], "ok"), (vec![other], "invalid")] {
            if keys.len() == 1 || preset.facts().several {
                let (app, delivery) = start(preset);
                let delivery = Delivery { keys, ..delivery };
                assert_eq!(send(&app, preset.request(&delivery)).await, expected, "{}", preset.name());
            }
        }
    }

    /// Whoever has recorded a delivery can leave one out, or change their order.
    async fn a_dropped_signature_makes_no_new_event(preset) {
        let (Facts { several, every_delivery, .. }, [one, other]) = (preset.facts(), preset.secrets());
        if several {
            let app = preset.app(&clock(), &[one, other]);
            for keys in [vec![one, other], vec![one], vec![other], vec![other, one]] {
                let delivery = Delivery { keys, ..Delivery::by(one) };
                assert_eq!(send(&app, preset.request(&delivery)).await, "ok", "{}", preset.name());
            }
            assert_eq!(app.inner.calls(), if every_delivery { 4 } else { 1 }, "{}", preset.name());
        }
    }

    async fn secrets_are_rotated_on_our_side(preset) {
        let [old, new] = preset.secrets();
        let request = || preset.request(&Delivery::by(old));
        for (secrets, expected) in [(&[old][..], "ok"), (&[new, old], "ok"), (&[new], "invalid")] {
            assert_eq!(send(&preset.app(&clock(), secrets), request()).await, expected, "{}", preset.name());
        }
    }

    async fn no_signed_byte_may_change(preset) {
        let (app, delivery) = start(preset);
        let tampered = preset.tampered(&delivery);
        assert!(tampered.len() >= 20, "{}: {}", preset.name(), tampered.len());
        for (what, request) in tampered {
            let refused = send(&app, request).await;
            assert!(matches!(refused, "invalid" | "malformed"), "{} {what}: {refused}", preset.name());
        }
        assert_eq!(app.inner.calls(), 0, "{}", preset.name());
        assert_eq!(send(&app, preset.request(&delivery)).await, "ok", "{}: nothing was burned", preset.name());
    }

    async fn a_body_that_nobody_signed_is_refused(preset) {
        if preset.facts().signs_nothing {
            continue;
        }
        for is_empty in [false, true] {
            let (app, delivery) = start(preset);
            let delivery = Delivery { is_empty, ..delivery };
            let good = preset.request(&delivery);
            let body = good.clone().into_body().collect().await.unwrap().to_bytes();
            let longer = [&body[..], b"&role=admin"].concat();
            let refused = send(&app, good.clone().map(|_| Full::from(longer))).await;
            assert!(matches!(refused, "invalid" | "malformed"), "{} {is_empty}: {refused}", preset.name());
            assert_eq!(app.inner.calls(), 0, "{}", preset.name());
            if !is_empty {
                assert_eq!(send(&app, good).await, "ok", "{}: nothing was burned", preset.name());
            }
        }
    }

    async fn what_is_stale_or_of_the_future_is_refused(preset) {
        let Facts { max_age: Some(max_age), skew, .. } = preset.facts() else { continue };
        for (time, expected) in [
            (NOW - max_age - 1, "expired"),
            (NOW - max_age, "ok"),
            (NOW + skew, "ok"),
            (NOW + skew + 1, "not_yet_valid"),
        ] {
            let (app, delivery) = start(preset);
            let delivery = Delivery { time, ..delivery };
            assert_eq!(send(&app, preset.request(&delivery)).await, expected, "{} at {time}", preset.name());
        }
    }

    /// A known event does not excuse a copy that is too old.
    async fn a_stale_copy_of_a_known_delivery_is_refused(preset) {
        let Some(max_age) = preset.facts().max_age else { continue };
        let (clock, [one, _]) = (clock(), preset.secrets());
        let app = preset.app(&clock, &[one]);
        let request = || preset.request(&Delivery::by(one));
        assert_eq!(send(&app, request()).await, "ok", "{}", preset.name());
        clock.set(UnixTime::from_secs(NOW).plus(secs(max_age + 1)));
        assert_eq!(send(&app, request()).await, "expired", "{}", preset.name());
    }

    async fn a_body_over_the_limit_is_refused(preset) {
        let (limit, (app, delivery)) = (preset.facts().limit, start(preset));
        for (length, is_too_large) in [(limit, false), (limit + 1, true)] {
            let body = Bytes::from(vec![b'x'; length]);
            let refused = send(&app, preset.request(&delivery).map(|_| Full::new(body))).await;
            assert_eq!(refused == "payload_too_large", is_too_large, "{} {length}: {refused}", preset.name());
        }
    }

    async fn another_content_type_is_refused_unless_the_sender_may_send_it(preset) {
        let (app, delivery) = start(preset);
        let mut request = preset.request(&delivery);
        request.headers_mut().insert("content-type", "text/plain".parse().unwrap());
        let expected = if preset.facts().any_content_type { "ok" } else { "unsupported_media_type" };
        assert_eq!(send(&app, request).await, expected, "{}", preset.name());
        let mut packed = preset.request(&delivery);
        packed.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
        assert_eq!(send(&app, packed).await, "unsupported_media_type", "{}: compressed", preset.name());
    }

    async fn a_delivery_without_a_body_is_refused_unless_the_sender_may_send_it(preset) {
        let (app, delivery) = start(preset);
        let empty = Delivery { is_empty: true, ..delivery };
        let expected = if preset.facts().optional_body { "ok" } else { "malformed" };
        assert_eq!(send(&app, preset.request(&empty)).await, expected, "{}", preset.name());
    }

    async fn other_methods_are_refused_unless_the_sender_may_use_them(preset) {
        let (app, delivery) = start(preset);
        for (method, expected) in [(Method::GET, preset.facts().by_get), (Method::HEAD, 405), (Method::TRACE, 405)] {
            let mut request = preset.request(&delivery);
            *request.method_mut() = method;
            assert_eq!(app.send(request).await.status(), expected, "{}", preset.name());
        }
    }
}
