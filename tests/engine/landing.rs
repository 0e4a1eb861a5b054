//! No [`LocalPath`] leaves its origin, neither as the `url` crate reads it nor as a server in between may rewrite it.

use proptest::prelude::*;
use tower_sso::landing::LocalPath;
use url::Url;

const BASE: &str = "https://rp.example/sso/oauth/";

/// The pieces of all known tricks. Any ten contain most of them.
fn texts() -> impl Strategy<Value = String> {
    let pieces = [
        "/",
        "/",
        "//",
        "\\",
        ".",
        "..",
        "%2e",
        "%2E",
        "%2f",
        "%2F",
        "%5c",
        "%5C",
        "%09",
        "%0a",
        "%0D",
        "%25",
        "\t",
        "\n",
        "\r",
        " ",
        "evil.example",
        "a",
        "@",
        ":",
        "?",
        "#",
        ";",
        "http:",
        "\u{ff0f}",
        "\u{3002}",
    ];
    let piece = prop::sample::select(pieces.to_vec());
    // Nine in ten begin like a path, since anything else is refused at its first byte.
    let text = prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat());
    (prop::bool::weighted(0.9), text).prop_map(|(rooted, text)| if rooted { format!("/{text}") } else { text })
}

/// The path after a server or proxy has decoded slashes, dots and what browsers drop, once.
fn decoded_once(text: &str) -> String {
    let (mut decoded, mut rest) = (String::new(), text);
    while let Some(next) = rest.chars().next() {
        let escape = rest.get(..3).unwrap_or_default().to_ascii_lowercase();
        let known = [("%2f", '/'), ("%5c", '\\'), ("%2e", '.'), ("%09", '\t'), ("%0a", '\n'), ("%0d", '\r')];
        let (character, length) =
            known.iter().find(|(known, _)| *known == escape).map_or((next, next.len_utf8()), |(_, c)| (*c, 3));
        decoded.push(character);
        rest = &rest[length..];
    }
    decoded
}

fn stays(location: &str, path: &str) -> Url {
    let base = Url::parse(BASE).unwrap();
    let target = base.join(location).unwrap();
    assert_eq!(target.origin(), base.origin(), "{path:?} as {location:?} leads to {target}");
    assert_eq!((target.username(), target.password()), ("", None), "{path:?} as {location:?}");
    target
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_local_path_leaves_its_origin(text in texts()) {
        if let Some(path) = LocalPath::parse(&text) {
            let path = path.as_str();
            prop_assert!(path.starts_with('/') && !path.starts_with("//"), "{:?}", path);
            for location in [path.to_owned(), decoded_once(path)] {
                // Where a browser goes, and where it goes if that server redirects to the path that it was asked for.
                let target = stays(&location, path);
                stays(target.path(), path);
                stays(&decoded_once(target.path()), path);
            }
        }
    }
}

#[test]
fn two_slashes_lead_elsewhere_whatever_follows() {
    for slashes in ["//", "/\\", "\\/", "/%2F", "/%2f", "/%5C", "/%5c", "/\t/", "/%09/", "/%0a/", "/%0D/", "/%09%2F"] {
        for host in ["evil.example", "user@evil.example:8443", "evil.example:80", "[::1]", "", ".", "a;b"] {
            for end in
                ["", "/", "/..", "/../..", "/%2e%2e/..", "/%2E./.?q=1", "/..#top", "/a/../..", "/%2F..", "?a", "#a"]
            {
                let text = format!("{slashes}{host}{end}");
                assert_eq!(LocalPath::parse(&text), None, "{text:?}");
            }
        }
    }
}
