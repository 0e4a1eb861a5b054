//! When a request is valid, and that it is valid once.

use super::*;

#[tokio::test]
async fn the_window_is_300_seconds_either_way() {
    for (time, expected) in
        [(NOW - 301, "expired"), (NOW - 300, "ok"), (NOW, "ok"), (NOW + 300, "ok"), (NOW + 301, "not_yet_valid")]
    {
        let link = signer().issued_at(UnixTime::from_secs(time)).uri(&JOHN).unwrap();
        assert_eq!(outcome(&app().send(get(&link)).await), expected, "{time}");
    }
    let narrow = App::new(layer().window(secs(10)).build().unwrap());
    let link = signer().issued_at(UnixTime::from_secs(NOW - 11)).uri(&JOHN).unwrap();
    assert_eq!(outcome(&narrow.send(get(&link)).await), "expired");
}

#[tokio::test]
async fn a_nonce_counts_with_its_consumer_and_its_second() {
    let app = app();
    assert_eq!(outcome(&app.send(get(&link())).await), "ok");
    assert_eq!(outcome(&app.send(get(&link())).await), "replayed");
    let other = signer().uri(&[("email", "eve@example.com"), ("partner_user_id", "2")]).unwrap();
    assert_eq!(outcome(&app.send(get(&other)).await), "replayed", "the same nonce and second, whatever else it says");
    let empty_token = signer().uri(&[JOHN[0], JOHN[1], ("oauth_token", "")]).unwrap();
    assert_eq!(outcome(&app.send(get(&empty_token)).await), "replayed", "no token is the empty token");
    let later = signer().issued_at(UnixTime::from_secs(NOW + 1)).uri(&JOHN).unwrap();
    assert_eq!(
        outcome(&app.send(get(&later)).await),
        "ok",
        "eight digits collide: another second is another credential"
    );
    let partner = OAuthLink::new(BASE, "other-key", &"other secret".into()).issued_at(UnixTime::from_secs(NOW));
    assert_eq!(outcome(&app.send(get(&partner.nonce("12345678").uri(&JOHN).unwrap())).await), "ok", "another consumer");
    let forged = link().replace("12345678", "87654321");
    assert_eq!(outcome(&app.send(get(&forged)).await), "invalid");
    let theirs = signer().nonce("87654321").uri(&JOHN).unwrap();
    assert_eq!(outcome(&app.send(get(&theirs)).await), "ok", "a forger burns no nonce");
}
