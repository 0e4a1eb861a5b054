//! The span of a check, in every form.

use tower_sso::clock::UnixTime;

use crate::support::log::{Fields, Log};
use crate::support::subject::{self, Duplicate, Spoil, Subject, Wish};
use crate::support::{App, NOW, Request_, clock, reason, replay};

/// What the span of one request tells, checked against the answer.
async fn span_of<S: Subject>(app: &App, request: Request_) -> Fields {
    let log = Log::start();
    let answer = app.send(request).await;
    let [span] = &log.spans()[..] else { panic!("{:?}", log.spans()) };
    assert_eq!(span.of, "DEBUG tower_sso check");
    let mut fields = span.fields.clone();
    assert_eq!(fields.remove("form").as_deref(), Some(S::NAME));
    assert_eq!(fields.remove("namespace").as_deref(), Some(""));
    assert_eq!(fields.get("reason").map_or("ok", String::as_str), reason(&answer));
    fields
}

fn fields(expected: &[(&'static str, &str)]) -> Fields {
    expected.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

crate::for_every_form! {
    async fn each_check_is_a_span<S: Subject>() {
        let app = S::app_with(subject::keys::<S>(), replay(), clock());
        let good = S::request(&Wish::default());
        let accepted = fields(&[("tenant", "acme"), ("key_use", "current"), ("outcome", "accepted")]);
        assert_eq!(span_of::<S>(&app, good.clone()).await, accepted);

        // A form that finds its keys itself names a tenant only once it is proved.
        let named = |reason| {
            let refused = [("outcome", "refused"), ("reason", reason), ("tenant", "acme")];
            fields(if S::LOOKED_UP { &refused[..2] } else { &refused })
        };
        let duplicate = match S::DUPLICATE {
            Duplicate::Passes => accepted,
            Duplicate::Acknowledged => fields(&[("tenant", "acme"), ("outcome", "acknowledged")]),
            Duplicate::Refused(_) => named(if S::LOOKED_UP { "unknown_key" } else { "replayed" }),
        };
        assert_eq!(span_of::<S>(&app, good.clone()).await, duplicate);
        let forged = span_of::<S>(&app, S::request(&Wish { key: 3, ..Wish::default() })).await;
        assert_eq!(forged, named(if S::LOOKED_UP { "unknown_key" } else { "bad_signature" }));
        if S::ROTATES {
            let previous = S::request(&Wish { key: 1, subject: "bob".into(), ..Wish::default() });
            let expected = [("tenant", "acme"), ("key_use", "previous"), ("outcome", "accepted")];
            assert_eq!(span_of::<S>(&app, previous).await, fields(&expected));
        }
        if let Some((max_age, _)) = S::WINDOW {
            let issued_at = UnixTime::from_secs(NOW - max_age - 10);
            let old = S::request(&Wish { issued_at, subject: "eve".into(), ..Wish::default() });
            assert_eq!(span_of::<S>(&app, old).await, named("expired"));
        }
        let absent = span_of::<S>(&app, S::spoil(good, Spoil::Absent).unwrap()).await;
        assert_eq!(absent["outcome"], "refused");
        assert!(absent.contains_key("reason") && !absent.contains_key("key_use"), "{absent:?}");
    }
}
