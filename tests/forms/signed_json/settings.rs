//! What does not build.

use serde_json::Value;
use tower_sso::scheme::{PublicKeyAlgorithm, SecretFormat, TimeFormat};
use tower_sso::signed_json::{self, Layout};

use crate::support::subject::refused;
use crate::support::{clock, replay, secs};

#[test]
fn settings_that_contradict_each_other_do_not_build() {
    let layer = |signed: &[&'static str]| {
        let layer = signed_json::layer::<Value>(signed.iter().copied()).secrets(["a secret that is shared"]);
        layer.replay(replay()).handler_remembers().clock(clock())
    };
    for (layer, expected, why) in [
        (layer(&[]), "signs no field", "nothing is signed"),
        (layer(&["order"]), "pointer", "no pointer"),
        (layer(&["/a~1b"]), "pointer", "an escape"),
        (layer(&["/a", "/b"]), "cut in two ways", "two texts side by side"),
        (layer(&["/a", "/b", "/c"]).timestamp_field("/a"), "cut in two ways", "three"),
        (
            layer(&["/a", "/b"]).timestamp_field("/a").timestamp_format(TimeFormat::Rfc3339),
            "cut in two",
            "no fixed length",
        ),
        (layer(&["/a"]).timestamp_field("/b"), "is not signed", "a time that anyone can change"),
        (layer(&["/a"]).event_id_field("/b"), "is not signed", "an id that anyone can change"),
        (layer(&["/a"]).optional_fields(["/b"]), "not signed", "a field that is not signed"),
        (layer(&["/a"]).free_field("/b"), "not signed", "a field that is not signed"),
        (layer(&["/signature"]), "signature_field", "signs itself"),
        (layer(&["/a"]).signature_field("/s~1g"), "signature_field", "an escape"),
        (layer(&["/a"]).signature_field("/"), "signature_field", "no name"),
        (layer(&["/a"]).signature_field("/a/signature"), "inside", "inside of a signed text"),
        (layer(&["/signature/a"]), "inside", "a signed text inside of it"),
        (layer(&["/a", "/a/b"]).layout(Layout::Lines), "inside", "a text inside of another"),
        (
            layer(&["/a", "/b"])
                .layout(Layout::Joined(':'))
                .timestamp_field("/a")
                .timestamp_format(TimeFormat::Rfc3339),
            "separator",
            "each time has colons",
        ),
        (layer(&["/a"]).within("a"), "within", "no pointer"),
        (layer(&["/a"]).accepted_values("/b", ["1"]), "is not signed", "a value that anyone can change"),
        (layer(&["/a"]).accepted_values("/a", [""; 0]), "are none", "no value"),
        (layer(&["/a"]).lease(secs(0)), "lease", "no time to answer in"),
        (layer(&["/a"]).retried_for(secs(91 * 86_400)), "90 days", "remembered for as long"),
        (
            layer(&["/a", "/b", "/c"]).layout(Layout::Lines).free_field("/a").optional_fields(["/b"]),
            "right behind the `free_field`",
            "its lines could be the free field's",
        ),
        (layer(&["/a", "/x/a"]).layout(Layout::Lines).optional_fields(["/a"]), "last name", "a line of either field"),
        (layer(&["/a"]).secret_format(SecretFormat::Hex), "hexadecimal", "a secret in another format"),
        (layer(&["/a"]).public_key(PublicKeyAlgorithm::Ed25519), "public key", "a secret for a public key"),
    ] {
        let said = refused(layer.build());
        assert!(said.contains(expected), "{why}: {said}");
    }
    let forgets = signed_json::layer::<Value>(["/a"]).secrets(["a secret that is shared"]).replay(replay()).build();
    assert!(refused(forgets).contains("handler_remembers"));
    assert!(layer(&["/a", "/b"]).timestamp_field("/a").build().is_ok());
    assert!(layer(&["/a", "/b"]).layout(Layout::Joined('|')).build().is_ok());
    assert!(layer(&["/a/b", "/ab"]).layout(Layout::Joined('|')).signature_field("/a/signature").build().is_ok());
    let timed = layer(&["/a", "/b"]).layout(Layout::Joined(':')).timestamp_field("/a");
    assert!(timed.timestamp_format(TimeFormat::Rfc3339).free_field("/a").build().is_ok());
    assert!(layer(&["/a"]).retried_for(secs(90 * 86_400)).build().is_ok());
}
