//! The steps in words.

use super::languages::sha;
use crate::scheme::{Encoding, TimeFormat};
use crate::steps::{Escape, Expr, Joined, PrivateAlgorithm, Sealing};

/// An expression, as a formula in which functions are named by what they do.
pub(super) fn formula(expr: &Expr) -> String {
    match expr {
        Expr::Text(text) => format!("{text:?}"),
        Expr::Secret => "secret".to_owned(),
        Expr::Step(name, _) => (*name).to_owned(),
        Expr::Time(format, later) => {
            let later = if *later == 0 { String::new() } else { format!(" + {later} s") };
            match format {
                TimeFormat::Seconds | TimeFormat::FractionalSeconds => format!("seconds_since_1970(){later}"),
                TimeFormat::Milliseconds => format!("milliseconds_since_1970(){later}"),
                TimeFormat::Rfc3339 => format!("rfc3339_time(){later}"),
                TimeFormat::HttpDate => format!("http_date(){later}"),
                TimeFormat::WallTime { hours_ahead } => format!("date_and_time_in_utc_plus({hours_ahead}){later}"),
            }
        }
        Expr::Nonce => "random_hex(16)".to_owned(),
        Expr::Concat(parts) => parts.iter().map(formula).collect::<Vec<_>>().join(" + "),
        Expr::Escaped(escape, text) => format!("{}({})", name_of(*escape), formula(text)),
        Expr::Pairs(pairs) => {
            let pairs = pairs.iter().map(|(name, value)| format!("{name:?}: {}", formula(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        Expr::EscapedPairs(escape, pairs) => format!("{}({})", name_of(*escape), formula(pairs)),
        Expr::ByName(pairs) => format!("sorted_by_name({})", formula(pairs)),
        Expr::Joined(joined) => {
            let Joined { pairs, equals, between, sorted } = &**joined;
            let function = if *sorted { "join_sorted" } else { "join" };
            let equals = equals.map_or("the values alone".to_owned(), |equals| format!("{equals:?}"));
            format!("{function}({}, {equals}, {between:?})", formula(pairs))
        }
        Expr::Json(members) => format!("json({})", object(members)),
        Expr::Value(value) => value.to_string(),
        Expr::Object(members) => object(members),
        Expr::List(items) => format!("[{}]", items.iter().map(formula).collect::<Vec<_>>().join(", ")),
        Expr::Hash(digest, message) => format!("{}({})", sha(*digest), formula(message)),
        Expr::Hmac { digest, key, message } => {
            format!("hmac_{}({}, {})", sha(*digest), formula(key), formula(message))
        }
        Expr::Signed(algorithm, message) => {
            let (name, digest, der) = match algorithm {
                PrivateAlgorithm::Ed25519 => ("ed25519", None, ""),
                PrivateAlgorithm::Ecdsa { digest, der } => ("ecdsa", Some(*digest), if *der { "_der" } else { "" }),
                PrivateAlgorithm::Rsa(digest) => ("rsa", Some(*digest), ""),
                PrivateAlgorithm::RsaPss(digest) => ("rsa_pss", Some(*digest), ""),
            };
            let digest = digest.map(|digest| format!("_{}", sha(digest))).unwrap_or_default();
            format!("sign_{name}{digest}{der}(secret, {})", formula(message))
        }
        Expr::Sealed(seal, text) => {
            let name = match seal {
                Sealing::CbcThenHmac => "seal_aes_cbc_hmac",
                Sealing::FramedGcm => "seal_aes_gcm",
            };
            format!("{name}(secret, {})", formula(text))
        }
        Expr::Encoded(encoding, bytes) => {
            let bytes = formula(bytes);
            match encoding {
                Encoding::Hex => format!("hex({bytes})"),
                Encoding::Base64 => format!("base64({bytes})"),
                Encoding::Base64Url => format!("base64url({bytes})"),
                Encoding::Base64OfHex => format!("base64(hex({bytes}))"),
            }
        }
        Expr::FromBase64("", text) => format!("base64_decoded({})", formula(text)),
        Expr::FromBase64(prefix, text) => format!("base64_decoded({} without {prefix:?} in front)", formula(text)),
        Expr::FromHex(text) => format!("hex_decoded({})", formula(text)),
        Expr::Fernet { key, text } => format!("fernet({}, {})", formula(key), formula(text)),
    }
}

fn object(members: &[(String, Expr)]) -> String {
    let members = members.iter().map(|(name, value)| format!("{name:?}: {}", formula(value)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
}

/// What the functions of a formula are.
pub(super) const FUNCTIONS: [(&str, &str); 18] = [
    ("seconds_since_1970(", "the Unix time in whole seconds, UTC"),
    ("milliseconds_since_1970(", "the Unix time in whole milliseconds, UTC"),
    ("rfc3339_time(", "the time in UTC, such as `2023-11-14T22:13:20Z`"),
    ("http_date(", "the time in UTC, such as `Tue, 14 Nov 2023 22:13:20 GMT`"),
    ("random_hex(", "so many random bytes in hexadecimal, new for each request"),
    ("percent_encode(", "in UTF-8, escapes all but letters, digits, `-`, `.`, `_` and `~`, in upper case (RFC 3986)"),
    ("form_encode(", "the same, but a space becomes `+`"),
    ("sorted_by_name(", "the pairs sorted by the bytes of their names"),
    ("join(", "the pairs as text: what stands between name and value, what stands between pairs"),
    ("join_sorted(", "the same, with the written pairs sorted by their bytes"),
    ("json(", "JSON; white space and the order of members are free, as the text itself is signed"),
    ("hmac_", "HMAC (RFC 2104) with a key and a message, as bytes; texts are taken in UTF-8"),
    (
        "sign_",
        "the signature of a private key: Ed25519 as in RFC 8032; ECDSA as r and s, one behind the other, or in DER; RSA as \
         PKCS#1 v1.5, or as PSS with a salt as long as the digest",
    ),
    (
        "seal_aes_cbc_hmac(",
        "the first half of the secret's SHA-256 encrypts by AES-128-CBC with PKCS#7 padding, behind a random IV of 16 \
         bytes; the second half is the key of an HMAC-SHA256 over IV and ciphertext, which follows them",
    ),
    (
        "seal_aes_gcm(",
        "AES-256-GCM under the secret's SHA-256: a byte 12, a random IV of 12 bytes, two zero bytes, the length of the \
         ciphertext in 4 bytes, little-endian, the ciphertext, and the tag of 16 bytes",
    ),
    ("hex(", "hexadecimal in lower case"),
    ("base64url(", "base64 with `-` and `_`, without `=` at the end (RFC 4648, 5)"),
    ("fernet(", "a token of <https://github.com/fernet/spec>, with a key in base64url"),
];

fn name_of(escape: Escape) -> &'static str {
    match escape {
        Escape::Percent => "percent_encode",
        Escape::Form => "form_encode",
    }
}
