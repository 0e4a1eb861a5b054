//! Public keys as JWKs (RFC 7517; RFC 7518, 6; RFC 8037, 2).

use jsonwebtoken::DecodingKey;
use serde_json::Value;

use super::rsa::RsaKey;
use super::text::{ed25519, usable};
use super::{Family, PublicKey};
use crate::text::base64::decode_base64url_onto;
use crate::text::json::Object;

/// Whether a text is meant as a JWK.
pub(super) fn is_jwk(text: &[u8]) -> bool {
    text.trim_ascii_start().starts_with(b"{")
}

/// A set may hold keys of several kinds, so this is no mistake of its sender.
pub(super) const OTHER_KIND: &str = "is a JWK of another kind of key than the algorithm needs";

impl PublicKey {
    pub(super) fn from_jwk(family: Family, text: &[u8]) -> Result<Self, &'static str> {
        let jwk = Object::read(text).map_err(|_| "is not a JWK, which is one JSON object without duplicate names")?;
        if jwk.get("d").is_some() {
            return Err("is a private JWK: only the partner should have it. Ask for the public one");
        }
        let is = |name, expected: &str| jwk.get(name).as_ref().and_then(Value::as_str) == Some(expected);
        let number = |name| {
            let Some(Value::String(text)) = jwk.get(name) else { return Err("is a JWK that lacks a number") };
            let mut bytes = Vec::new();
            decode_base64url_onto(text.as_bytes(), &mut bytes).ok_or("is a JWK with a number that is not base64url")?;
            Ok(bytes)
        };
        let point = |curve, length| {
            if !is("kty", "EC") || !is("crv", curve) {
                return Err(OTHER_KIND);
            }
            let (x, y) = (number("x")?, number("y")?);
            if x.len() != length || y.len() != length {
                return Err("is a JWK whose point has another length than its curve's");
            }
            // Uncompressed (SEC 1, 2.3.3).
            Ok([&[4], x.as_slice(), y.as_slice()].concat())
        };
        match family {
            Family::Rsa if is("kty", "RSA") => RsaKey::of_numbers(&number("n")?, &number("e")?).map(Self::Rsa),
            Family::P256 => usable(DecodingKey::from_ec_der(&point("P-256", 32)?), jsonwebtoken::Algorithm::ES256),
            Family::P384 => usable(DecodingKey::from_ec_der(&point("P-384", 48)?), jsonwebtoken::Algorithm::ES384),
            Family::Ed25519 if is("kty", "OKP") && is("crv", "Ed25519") => ed25519(&number("x")?),
            Family::Rsa | Family::Ed25519 => Err(OTHER_KIND),
        }
    }
}
