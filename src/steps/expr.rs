//! What a step computes: [`Expr`].

use std::borrow::Cow;

use serde_json::Value;

use super::{PrivateAlgorithm, Sealing};
use crate::mac::Digest;
use crate::scheme::{Encoding, TimeFormat};
use crate::text::percent::percent_encoded;

/// What an expression's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Bytes,
    /// Names and their values, in order.
    Pairs,
}

/// How characters are escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Escape {
    /// All but letters, digits, `-`, `.`, `_` and `~` (RFC 3986, 2.3), in upper case.
    Percent,
    /// The same, but a space becomes `+`.
    Form,
}

/// One expression. The interpreter, the page's words and each language of the kit render the same ones.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    Text(Cow<'static, str>),
    /// The partner's secret, as text.
    Secret,
    /// The value of an earlier step.
    Step(&'static str, Kind),
    /// The time, so many seconds after now. A number for whole seconds and milliseconds, text for the others.
    Time(TimeFormat, u64),
    /// A text that was never used before.
    Nonce,
    Concat(Vec<Expr>),
    Escaped(Escape, Box<Expr>),
    Pairs(Vec<(String, Expr)>),
    /// Pairs whose names and values are escaped.
    EscapedPairs(Escape, Box<Expr>),
    /// Pairs sorted by their names.
    ByName(Box<Expr>),
    Joined(Box<Joined>),
    /// A JSON object.
    Json(Vec<(String, Expr)>),
    /// Only in [`Self::Json`].
    Value(Value),
    /// An object and a list whose members are computed. Only in [`Self::Json`].
    Object(Vec<(String, Expr)>),
    List(Vec<Expr>),
    Hash(Digest, Box<Expr>),
    Hmac {
        digest: Digest,
        key: Box<Expr>,
        message: Box<Expr>,
    },
    /// Signed with the secret, which is a private key.
    #[cfg_attr(not(feature = "public-key"), allow(dead_code, reason = "no form has public keys"))]
    Signed(PrivateAlgorithm, Box<Expr>),
    /// Encrypted and signed with the secret.
    #[cfg_attr(not(feature = "sealed"), allow(dead_code, reason = "no form seals"))]
    Sealed(Sealing, Box<Expr>),
    Encoded(Encoding, Box<Expr>),
    /// The bytes of a text in base64 (after an optional prefix) or in hexadecimal.
    FromBase64(&'static str, Box<Expr>),
    FromHex(Box<Expr>),
    /// A Fernet token of the text, made now.
    Fernet {
        key: Box<Expr>,
        text: Box<Expr>,
    },
}

/// Pairs written as one text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Joined {
    pub(crate) pairs: Expr,
    /// Between name and value; `None`: values alone.
    pub(crate) equals: Option<&'static str>,
    pub(crate) between: String,
    /// Whether the written pairs are sorted.
    pub(crate) sorted: bool,
}

impl Expr {
    pub(crate) fn text(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Text(text.into())
    }

    /// A member of a JSON object as the value of a parameter.
    pub(crate) fn into_text(self) -> Self {
        match self {
            Self::Value(Value::String(text)) => Self::text(text),
            Self::Value(other) => Self::text(other.to_string()),
            other => other,
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Step(_, kind) => *kind,
            Self::Time(TimeFormat::Seconds | TimeFormat::FractionalSeconds | TimeFormat::Milliseconds, _) => {
                Kind::Number
            }
            Self::Pairs(_) | Self::EscapedPairs(..) | Self::ByName(_) => Kind::Pairs,
            Self::Hash(..)
            | Self::Hmac { .. }
            | Self::Signed(..)
            | Self::Sealed(..)
            | Self::FromBase64(..)
            | Self::FromHex(_) => Kind::Bytes,
            _ => Kind::Text,
        }
    }

    /// Concatenates texts. Neighbouring literals become one.
    pub(crate) fn concat(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut all: Vec<Self> = Vec::new();
        for part in parts.into_iter().flat_map(Self::into_parts) {
            match (all.last_mut(), part) {
                (_, Self::Text(text)) if text.is_empty() => {}
                (Some(Self::Text(before)), Self::Text(text)) => before.to_mut().push_str(&text),
                (_, part) => all.push(part),
            }
        }
        match (all.pop(), all.is_empty()) {
            (None, _) => Self::text(""),
            (Some(only), true) if only.kind() == Kind::Text => only,
            (Some(last), _) => {
                all.push(last);
                Self::Concat(all)
            }
        }
    }

    fn into_parts(self) -> Vec<Self> {
        match self {
            Self::Concat(parts) => parts,
            part => vec![part],
        }
    }

    pub(crate) fn escaped(self, escape: Escape) -> Self {
        match (self, escape) {
            (Self::Text(text), Escape::Percent) => Self::text(percent_encoded(&text)),
            (Self::Text(text), Escape::Form) => Self::text(percent_encoded(&text).replace("%20", "+")),
            (other, escape) => Self::Escaped(escape, Box::new(other)),
        }
    }

    pub(crate) fn escaped_pairs(self, escape: Escape) -> Self {
        Self::EscapedPairs(escape, Box::new(self))
    }

    pub(crate) fn by_name(self) -> Self {
        Self::ByName(Box::new(self))
    }

    /// The pairs as `name=value`, with a text between them.
    pub(crate) fn joined(self, equals: &'static str, between: impl Into<String>) -> Self {
        Self::Joined(Box::new(Joined { pairs: self, equals: Some(equals), between: between.into(), sorted: false }))
    }

    /// The pairs as `name=value`, sorted, with a text between them.
    pub(crate) fn joined_and_sorted(self, equals: &'static str, between: impl Into<String>) -> Self {
        Self::Joined(Box::new(Joined { pairs: self, equals: Some(equals), between: between.into(), sorted: true }))
    }

    /// The values alone, with a text between them.
    pub(crate) fn joined_values(self, between: impl Into<String>) -> Self {
        Self::Joined(Box::new(Joined { pairs: self, equals: None, between: between.into(), sorted: false }))
    }

    /// As form data: what a query and a form's body hold.
    pub(crate) fn form(self) -> Self {
        self.escaped_pairs(Escape::Percent).joined("=", "&")
    }

    pub(crate) fn hmac(digest: Digest, key: Self, message: Self) -> Self {
        Self::Hmac { digest, key: Box::new(key), message: Box::new(message) }
    }

    /// The signature of a private key, if there is one, or the HMAC with a shared key.
    pub(crate) fn signature(private: Option<PrivateAlgorithm>, digest: Digest, key: Self, message: Self) -> Self {
        match private {
            Some(algorithm) => Self::Signed(algorithm, Box::new(message)),
            None => Self::hmac(digest, key, message),
        }
    }

    pub(crate) fn encoded(self, encoding: Encoding) -> Self {
        Self::Encoded(encoding, Box::new(self))
    }
}
