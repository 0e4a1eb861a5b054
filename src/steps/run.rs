//! Carries the steps out.

use std::time::Duration;

use serde_json::{Map, Value};

#[cfg(feature = "timestamp-hash")]
use super::Draft;
use super::SignError;
use super::{Escape, Expr, Joined, PrivateAlgorithm, Sealing, Step};
use crate::clock::UnixTime;
use crate::keys::Secret;
use crate::text::base64::decode_base64_padded_or_not;
use crate::text::hex::decode_hex;
use crate::text::percent::{percent_encode, quote_plus};

/// The value of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Computed {
    Text(String),
    Number(i64),
    Bytes(Vec<u8>),
    Pairs(Vec<(String, String)>),
}

/// The values of the steps so far, in order.
pub(crate) type Values = Vec<(&'static str, Computed)>;

/// The input of the steps.
pub(crate) struct Run<'a> {
    pub(crate) secret: &'a Secret,
    pub(crate) now: UnixTime,
    pub(crate) nonce: &'a str,
}

impl Run<'_> {
    /// The text of an expression that uses a draft's steps.
    #[cfg(feature = "timestamp-hash")]
    pub(crate) fn text_of(&self, draft: Draft, expr: &Expr) -> Result<String, SignError> {
        self.text(expr, &self.values(&draft.0)?)
    }

    /// The value of every step.
    pub(crate) fn values(&self, steps: &[Step]) -> Result<Values, SignError> {
        let mut values = Values::new();
        for step in steps {
            let value = self.compute(&step.expr, &values)?;
            values.push((step.name, value));
        }
        Ok(values)
    }

    /// The request as an `.http` file has it.
    #[cfg(feature = "kit")]
    pub(crate) fn lines(&self, steps: &super::Steps, values: &Values) -> Result<Vec<String>, SignError> {
        let lines = steps.request.lines();
        let mut lines: Vec<_> = lines.iter().map(|line| self.text(line, values)).collect::<Result<_, _>>()?;
        if let Some((body, _)) = steps.request.content() {
            lines.extend([String::new(), self.text(&body, values)?]);
        }
        Ok(lines)
    }

    /// The text of an expression that uses these values.
    pub(crate) fn text(&self, expr: &Expr, values: &Values) -> Result<String, SignError> {
        match self.compute(expr, values)? {
            Computed::Text(text) => Ok(text),
            Computed::Number(number) => Ok(number.to_string()),
            Computed::Bytes(_) | Computed::Pairs(_) => Err(MISFIT),
        }
    }

    fn bytes(&self, expr: &Expr, values: &Values) -> Result<Vec<u8>, SignError> {
        match self.compute(expr, values)? {
            Computed::Bytes(bytes) => Ok(bytes),
            Computed::Text(text) => Ok(text.into_bytes()),
            Computed::Number(number) => Ok(number.to_string().into_bytes()),
            Computed::Pairs(_) => Err(MISFIT),
        }
    }

    fn pairs(&self, expr: &Expr, values: &Values) -> Result<Vec<(String, String)>, SignError> {
        match self.compute(expr, values)? {
            Computed::Pairs(pairs) => Ok(pairs),
            _ => Err(MISFIT),
        }
    }

    fn compute(&self, expr: &Expr, values: &Values) -> Result<Computed, SignError> {
        let text = |expr: &Expr| self.text(expr, values);
        let bytes = |expr: &Expr| self.bytes(expr, values);
        Ok(match expr {
            Expr::Text(literal) => Computed::Text(literal.clone().into_owned()),
            Expr::Secret => computed(self.secret.expose().to_vec()),
            Expr::Step(name, _) => {
                values.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone()).ok_or(MISFIT)?
            }
            Expr::Time(format, later) => {
                let time = self.now.plus(Duration::from_secs(*later));
                match format.number(time) {
                    Some(number) => Computed::Number(number),
                    None => Computed::Text(format.write(time)),
                }
            }
            Expr::Nonce => Computed::Text(self.nonce.to_owned()),
            Expr::Concat(parts) => computed(parts.iter().map(bytes).collect::<Result<Vec<_>, _>>()?.concat()),
            Expr::Escaped(escape, inner) => Computed::Text(escape.apply(&bytes(inner)?)),
            Expr::Pairs(pairs) => {
                let pairs = pairs.iter().map(|(name, value)| Ok((name.clone(), text(value)?)));
                Computed::Pairs(pairs.collect::<Result<_, SignError>>()?)
            }
            Expr::EscapedPairs(escape, pairs) => {
                let pairs = self.pairs(pairs, values)?.into_iter();
                Computed::Pairs(
                    pairs
                        .map(|(name, value)| (escape.apply(name.as_bytes()), escape.apply(value.as_bytes())))
                        .collect(),
                )
            }
            Expr::ByName(pairs) => {
                let mut pairs = self.pairs(pairs, values)?;
                pairs.sort();
                Computed::Pairs(pairs)
            }
            Expr::Joined(joined) => {
                let Joined { pairs, equals, between, sorted } = &**joined;
                let write = |(name, value): (String, String)| match equals {
                    Some(equals) => name + equals + &value,
                    None => value,
                };
                let mut texts: Vec<String> = self.pairs(pairs, values)?.into_iter().map(write).collect();
                if *sorted {
                    texts.sort();
                }
                Computed::Text(texts.join(between))
            }
            Expr::Json(members) => Computed::Text(self.object(members, values)?.to_string()),
            Expr::Value(value) => Computed::Text(value.to_string()),
            Expr::Object(_) | Expr::List(_) => return Err(MISFIT),
            Expr::Hash(digest, message) => Computed::Bytes(digest.hash([bytes(message)?.as_slice()]).to_vec()),
            Expr::Hmac { digest, key, message } => {
                let mac = digest.mac(&bytes(key)?, [bytes(message)?.as_slice()]);
                Computed::Bytes(mac.to_vec())
            }
            Expr::Signed(algorithm, message) => Computed::Bytes(signed(*algorithm, self.secret, &bytes(message)?)?),
            Expr::Sealed(seal, text) => Computed::Bytes(self.sealed(*seal, &bytes(text)?)?),
            Expr::Encoded(encoding, inner) => Computed::Text(encoding.encode(&bytes(inner)?)),
            Expr::FromBase64(prefix, inner) => {
                let text = text(inner)?;
                let bare = text.strip_prefix(prefix).unwrap_or(&text);
                Computed::Bytes(decode_base64_padded_or_not(bare).ok_or(SignError::Key("is not base64"))?)
            }
            Expr::FromHex(inner) => {
                Computed::Bytes(decode_hex(&text(inner)?).ok_or(SignError::Key("is not hexadecimal"))?)
            }
            Expr::Fernet { key, text: content } => {
                Computed::Text(fernet(&Secret::new(text(key)?), text(content)?.as_bytes(), self.now)?)
            }
        })
    }

    #[cfg(feature = "sealed")]
    fn sealed(&self, seal: Sealing, text: &[u8]) -> Result<Vec<u8>, SignError> {
        seal.seal(self.secret, text, self.nonce)
    }

    #[cfg(not(feature = "sealed"))]
    #[allow(clippy::unused_self)]
    fn sealed(&self, _: Sealing, _: &[u8]) -> Result<Vec<u8>, SignError> {
        Err(MISFIT)
    }

    fn object(&self, members: &[(String, Expr)], values: &Values) -> Result<Value, SignError> {
        let members = members.iter().map(|(name, value)| Ok((name.clone(), self.json(value, values)?)));
        Ok(Value::Object(members.collect::<Result<Map<_, _>, SignError>>()?))
    }

    fn json(&self, expr: &Expr, values: &Values) -> Result<Value, SignError> {
        match expr {
            Expr::Value(value) => Ok(value.clone()),
            Expr::Object(members) => self.object(members, values),
            Expr::List(items) => {
                let items = items.iter().map(|item| self.json(item, values));
                Ok(Value::Array(items.collect::<Result<_, SignError>>()?))
            }
            other => Ok(match self.compute(other, values)? {
                Computed::Text(text) => text.into(),
                Computed::Number(number) => number.into(),
                Computed::Bytes(_) | Computed::Pairs(_) => return Err(MISFIT),
            }),
        }
    }
}

/// Text if the bytes are UTF-8. A secret may be any bytes.
fn computed(bytes: Vec<u8>) -> Computed {
    match String::from_utf8(bytes) {
        Ok(text) => Computed::Text(text),
        Err(error) => Computed::Bytes(error.into_bytes()),
    }
}

/// A form's description is tested, so that no caller sees this.
const MISFIT: SignError = SignError::Unsupported("a step's value is of another kind");

impl Escape {
    fn apply(self, text: &[u8]) -> String {
        let mut escaped = Vec::with_capacity(text.len() * 2);
        match self {
            Self::Percent => percent_encode(text, &mut escaped),
            Self::Form => quote_plus(text, &mut escaped),
        }
        String::from_utf8_lossy(&escaped).into_owned()
    }
}

#[cfg(feature = "public-key")]
fn signed(algorithm: PrivateAlgorithm, key: &Secret, message: &[u8]) -> Result<Vec<u8>, SignError> {
    algorithm.sign(key, message)
}

#[cfg(not(feature = "public-key"))]
fn signed(_: PrivateAlgorithm, _: &Secret, _: &[u8]) -> Result<Vec<u8>, SignError> {
    Err(MISFIT)
}

/// A Fernet token.
#[cfg(feature = "fernet")]
pub(crate) fn fernet(key: &Secret, content: &[u8], now: UnixTime) -> Result<String, SignError> {
    let fernet = key.expose_str().and_then(::fernet::Fernet::new);
    let fernet = fernet.ok_or(SignError::Key("is not a Fernet key: 44 characters, base64url of 32 bytes"))?;
    Ok(fernet.encrypt_at_time(content, u64::try_from(now.as_secs()).unwrap_or_default()))
}

#[cfg(not(feature = "fernet"))]
fn fernet(_: &Secret, _: &[u8], _: UnixTime) -> Result<String, SignError> {
    Err(MISFIT)
}
