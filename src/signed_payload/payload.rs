use serde::de::DeserializeOwned;

use crate::body::{FormBody, FromBody};
use crate::query::Query;
use crate::rejection::Reason;
use crate::text::base64::{decode_base64, decode_base64_padded_or_not, decode_base64url_onto, without_padding};
use crate::text::fields;
use crate::text::json::{self, Object};

/// How the payload is encoded.
///
/// ```
/// use tower_sso::signed_payload::PayloadEncoding;
///
/// assert_eq!(PayloadEncoding::default(), PayloadEncoding::Base64Url);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadEncoding {
    /// Base64 with `-` and `_` (RFC 4648, 5), canonical, with or without its padding.
    #[default]
    Base64Url,
    /// Base64 (RFC 4648, 4), canonical, with or without its padding.
    Base64,
    /// Base64 in lines (RFC 2045, 6.8), as Ruby's `Base64.encode64` writes it. The line ends are signed too.
    Base64Lines,
    /// The payload as it is, in UTF-8: text that a framework's `Signer` signs.
    Text,
}

impl PayloadEncoding {
    pub(super) fn decode(self, text: &str) -> Result<Vec<u8>, &'static str> {
        match self {
            Self::Base64 => decode_base64_padded_or_not(text).ok_or("is not canonical base64"),
            Self::Base64Url => {
                let mut decoded = Vec::with_capacity(text.len());
                let bare = without_padding(text).ok_or("is not canonical base64url")?;
                decode_base64url_onto(bare.as_bytes(), &mut decoded).ok_or("is not canonical base64url")?;
                Ok(decoded)
            }
            Self::Base64Lines => {
                let bare: String = text.split(['\r', '\n']).collect();
                decode_base64(&bare).ok_or("is not canonical base64 in lines")
            }
            Self::Text => Ok(text.as_bytes().to_vec()),
        }
    }
}

/// What the payload consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Json,
    Pairs,
    Text,
}

impl Content {
    /// The text of a member, or of a number. In JSON, a name that begins with `/` is a pointer (RFC 6901).
    pub(super) fn member(self, payload: &[u8], name: &str) -> Result<Option<String>, Reason> {
        match self {
            Self::Json => Object::read(payload)?.text_or_number(name),
            Self::Pairs => Ok(Query::new(text_of(payload)?).value(name)?.map(Into::into)),
            // A layer that asks for one does not build.
            Self::Text => Ok(None),
        }
    }

    pub(super) fn claims<C: DeserializeOwned>(self, payload: &[u8], required: &[impl AsRef<str>]) -> Result<C, Reason> {
        match self {
            Self::Json => json::object(payload, required),
            Self::Pairs => {
                for name in required.iter().map(AsRef::as_ref) {
                    self.member(payload, name)?.ok_or_else(|| Reason::MissingField(name.to_owned().into()))?;
                }
                FormBody::from_body(&payload.to_vec().into()).map(|FormBody(claims)| claims)
            }
            Self::Text => fields::read_one(text_of(payload)?),
        }
    }
}

fn text_of(payload: &[u8]) -> Result<&str, Reason> {
    std::str::from_utf8(payload).map_err(|_| Reason::BadPayload("is not UTF-8".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_have_one_spelling_but_for_padding_and_line_ends() {
        use PayloadEncoding::{Base64, Base64Lines, Base64Url, Text};
        for (encoding, text, expected) in [
            (Base64Url, "-_8", Some(&[0xfb, 0xff][..])),
            (Base64Url, "-_8=", Some(&[0xfb, 0xff])),
            (Base64Url, "+/8", None),
            (Base64Url, "-_9", None),
            (Base64Url, "-_8\n", None),
            (Base64, "+/8=", Some(&[0xfb, 0xff])),
            (Base64, "+/8", Some(&[0xfb, 0xff])),
            (Base64, "+w==", Some(&[0xfb])),
            (Base64, "+w", Some(&[0xfb])),
            (Base64, "+w=", None),
            (Base64, "-_8=", None),
            (Base64, "+/9=", None),
            (Base64Lines, "+/\n8=\n", Some(&[0xfb, 0xff])),
            (Base64Lines, "+/8=\r\n", Some(&[0xfb, 0xff])),
            (Base64Lines, "+/8", None),
            (Base64Lines, "+/ 8=", None),
            (Text, "+/ 8=", Some(b"+/ 8=")),
        ] {
            assert_eq!(encoding.decode(text).ok().as_deref(), expected, "{encoding:?} {text:?}");
        }
    }

    #[test]
    fn a_text_is_its_own_claims() {
        let none: [&str; 0] = [];
        assert_eq!(Content::Text.claims::<String>(b"ada:1", &none).unwrap(), "ada:1");
        assert_eq!(Content::Text.claims::<u64>(b"42", &none).unwrap(), 42);
        for (payload, why) in [(&b"-1"[..], "no such number"), (b"", "nothing"), (b"\xff", "no text")] {
            let said = Content::Text.claims::<u64>(payload, &none).unwrap_err().to_string();
            assert!(!said.contains("-1"), "{why}: {said}");
        }
    }

    #[test]
    fn members_are_text_or_numbers() {
        let json = br#"{"a":"x","n":1700000000.25,"i":17,"in":{"a/b":"y"},"null":null,"b":true}"#;
        for (content, payload, name, expected) in [
            (Content::Json, &json[..], "a", Ok(Some("x"))),
            (Content::Json, json, "n", Ok(Some("1700000000.25"))),
            (Content::Json, json, "i", Ok(Some("17"))),
            (Content::Json, json, "/in/a~1b", Ok(Some("y"))),
            (Content::Json, json, "null", Ok(None)),
            (Content::Json, json, "c", Ok(None)),
            (Content::Json, json, "b", Err("neither")),
            (Content::Json, br#"{"a":"x","a":"y"}"#, "a", Err("twice")),
            (Content::Json, br#"{"a":"x","a":"y"}"#, "/a", Err("twice")),
            (Content::Pairs, b"a=x%20y&b=1", "a", Ok(Some("x y"))),
            (Content::Pairs, b"a=x&%61=y", "a", Err("twice")),
            (Content::Pairs, b"a=x", "b", Ok(None)),
        ] {
            let member = content.member(payload, name);
            assert_eq!(
                member.as_ref().map(Option::as_deref).map_err(drop),
                expected.map_err(drop),
                "{name}: {member:?}"
            );
        }
    }
}
