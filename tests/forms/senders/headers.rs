//! What a copy of a delivery can have in its headers.

use super::*;

/// The signature, the time and the id: no byte of them may change.
#[tokio::test]
async fn no_byte_of_the_signed_headers_may_change() {
    for sender in all() {
        let app = sender.app(&clock(), &sender.secrets[..1]);
        let good = sender.sign(&Delivery::new(&sender));
        let mut names = vec![sender.header[0]];
        names.extend(sender.id);
        if let Time::Header(name, _) = sender.time {
            names.push(name);
        }
        for name in names {
            let value = good.headers()[name].as_bytes().to_vec();
            for at in 0..value.len() {
                let mut changed = value.clone();
                changed[at] ^= 1;
                let mut request = good.clone();
                request.headers_mut().insert(name, HeaderValue::from_bytes(&changed).unwrap());
                let answer = app.send(request).await;
                let said = (sender.name, name, String::from_utf8_lossy(&changed).into_owned());
                assert!(matches!(outcome(&answer), "invalid" | "malformed"), "{said:?}: {}", outcome(&answer));
            }
            let mut cut = good.clone();
            cut.headers_mut().insert(name, HeaderValue::from_bytes(&value[..value.len() - 1]).unwrap());
            assert!(matches!(outcome(&app.send(cut).await), "invalid" | "malformed"), "{} {name}: cut", sender.name);
            let mut none = good.clone();
            none.headers_mut().remove(name);
            assert_eq!(outcome(&app.send(none).await), "malformed", "{} {name}: not there", sender.name);
        }
        assert_eq!(app.inner.calls(), 0, "{}", sender.name);
        assert_eq!(outcome(&app.send(good).await), "ok", "{}", sender.name);
    }
}

/// Where a sender writes one signature, two are refused, even if both are right. A time or an id never comes twice.
#[tokio::test]
async fn headers_do_not_come_twice() {
    for sender in all() {
        let app = sender.app(&clock(), &sender.secrets[..1]);
        let good = sender.sign(&Delivery::new(&sender));
        let mut names: Vec<&str> = sender.id.into_iter().collect();
        if let Time::Header(name, _) = sender.time {
            names.push(name);
        }
        if !sender.signs_several() {
            names.push(sender.header[0]);
        }
        for name in names {
            let mut twice = good.clone();
            let value = twice.headers()[name].clone();
            twice.headers_mut().append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
            assert_eq!(outcome(&app.send(twice).await), "malformed", "{} {name}", sender.name);
        }
        assert_eq!(app.inner.calls(), 0, "{}", sender.name);
    }
}

/// A retry may come during a rotation, with a new time and under the new key.
#[tokio::test]
async fn a_retry_under_another_key_is_known_by_its_id() {
    for sender in all().into_iter().filter(|sender| sender.retries_are_known) {
        let clock = clock();
        let [old, new] = sender.secrets;
        let app = sender.app(&clock, &[new, old]);
        for (minutes, key) in [(0, old), (10, new), (20, old)] {
            clock.set(UnixTime::from_secs(NOW).plus(secs(minutes * 60)));
            let retry = Delivery { keys: vec![key], time: NOW + minutes * 60, ..Delivery::new(&sender) };
            assert_eq!(status(&app.send(sender.sign(&retry)).await), 200, "{}", sender.name);
        }
        assert_eq!(app.inner.calls(), 1, "{}", sender.name);
    }
}

/// A known id does not excuse a delivery that is too old.
#[tokio::test]
async fn a_stale_copy_of_a_known_event_is_refused() {
    for sender in all().into_iter().filter(|sender| !matches!(sender.time, Time::None)) {
        let clock = clock();
        let app = sender.app(&clock, &sender.secrets[..1]);
        let delivery = Delivery::new(&sender);
        assert_eq!(outcome(&app.send(sender.sign(&delivery)).await), "ok", "{}", sender.name);
        clock.set(UnixTime::from_secs(NOW).plus(secs(700)));
        assert_eq!(outcome(&app.send(sender.sign(&delivery)).await), "expired", "{}", sender.name);
    }
}
