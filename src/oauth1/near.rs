//! What a consumer may do otherwise than the RFC.

use super::quirks::Quirks;
use super::{OAuth1, Signed};
use crate::keys::Secret;
use crate::near_miss::copy_form;
use crate::text::percent::{decode_escapes, percent_encoded};

/// A slip in the base string or the key, while it is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slip {
    KeyAlone,
    KeyAsItIs,
    ParametersEncodedOnce,
    NothingEncoded,
    LowerMethod,
    LowerEscapes,
    PlusForSpace,
    MarksAsTheyAre,
}

const SLIPS: [(Slip, &str); 8] = [
    (
        Slip::KeyAlone,
        "signs with the secret alone: the key is the secret and `&`, also without a token (RFC 5849, 3.4.2)",
    ),
    (Slip::KeyAsItIs, "does not percent-encode the secret in the key (RFC 5849, 3.4.2)"),
    (Slip::ParametersEncodedOnce, "does not encode the parameters once more in the base string (RFC 5849, 3.4.1.1)"),
    (Slip::NothingEncoded, "encodes neither address nor parameters in the base string (RFC 5849, 3.4.1.1)"),
    (Slip::LowerMethod, "writes the method in lower case in the base string (RFC 5849, 3.4.1.1)"),
    (
        Slip::LowerEscapes,
        "writes `%2f` in lower case in the base string, as C#'s `HttpUtility.UrlEncode` does (RFC 5849, 3.6)",
    ),
    (Slip::PlusForSpace, "writes a space as a plus in the base string, as PHP's `urlencode` does (RFC 5849, 3.6)"),
    (
        Slip::MarksAsTheyAre,
        "does not encode `!*'()` in the base string, as `encodeURIComponent` leaves them (RFC 5849, 3.6)",
    ),
];

copy_form!(OAuth1<C> { origin, transports, methods, window, required, quirks, slip });

impl<C> OAuth1<C> {
    pub(super) fn near(&self, head: &http::request::Parts) -> Vec<(String, Self)> {
        let origins = self.origin.near(head).into_iter();
        let origins = origins.map(|(cause, origin)| (cause, Self { origin, ..self.copy() }));
        let slips = SLIPS.into_iter();
        let slips = slips.map(|(slip, does)| (format!("the partner {does}"), Self { slip: Some(slip), ..self.copy() }));
        let quirks = [
            (
                "sorts the names without regard to case: see `names_sorted_without_case`",
                Quirks { caseless_names: true, ..self.quirks },
            ),
            (
                "does not sign the parameters of the address's query (RFC 5849, 3.4.1.3.1)",
                Quirks { unsigned_query: true, ..self.quirks },
            ),
        ];
        let quirks = quirks.into_iter();
        let quirks = quirks.map(|(does, quirks)| (format!("the partner {does}"), Self { quirks, ..self.copy() }));
        origins.chain(slips).chain(quirks).collect()
    }
}

impl Slip {
    /// Whether the request was signed in this way.
    pub(super) fn signed(self, request: &Signed, key: &Secret) -> bool {
        let text = String::from_utf8_lossy(&request.reading.base_string.text);
        let decoded = |part: &str| decode_escapes(part).map(std::borrow::Cow::into_owned).unwrap_or_default();
        let text = match (self, text.splitn(3, '&').collect::<Vec<_>>().as_slice()) {
            (Self::ParametersEncodedOnce, [method, uri, parameters]) => [*method, uri, &decoded(parameters)].join("&"),
            (Self::NothingEncoded, [method, uri, parameters]) => {
                [*method, &decoded(uri), &decoded(parameters)].join("&")
            }
            (Self::LowerMethod, [method, uri, parameters]) => [&method.to_lowercase(), *uri, parameters].join("&"),
            (Self::LowerEscapes, _) => lower_escapes(&text),
            (Self::PlusForSpace, _) => text.replace("%2520", "%2B"),
            (Self::MarksAsTheyAre, _) => {
                MARKS.iter().fold(text.into_owned(), |text, (escape, mark)| text.replace(escape, mark))
            }
            _ => text.into_owned(),
        };
        let secret = String::from_utf8_lossy(key.expose());
        let key = match self {
            Self::KeyAlone => percent_encoded(&secret),
            Self::KeyAsItIs => format!("{secret}&"),
            _ => format!("{}&", percent_encoded(&secret)),
        };
        request.method.digest().verify_with_key(key.as_bytes(), text.as_bytes(), &request.mac)
    }
}

/// What `encodeURIComponent` leaves as it is, in a value that was encoded twice.
const MARKS: [(&str, &str); 5] = [("%2521", "!"), ("%2527", "'"), ("%2528", "("), ("%2529", ")"), ("%252A", "*")];

/// The escapes of the text in lower case, and those inside it that were escaped once more.
fn lower_escapes(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut lower = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let length = if piece.starts_with("25") { 4 } else { 2 };
        let (escape, rest) = piece.split_at_checked(length).unwrap_or((piece, ""));
        lower.extend(["%", &escape.to_ascii_lowercase(), rest]);
    }
    lower
}
