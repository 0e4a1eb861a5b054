//! How a sender signs the fields of a body.

use serde_json::{Map, Value};

use super::fields::{insert, last_name, names, text_of, value_at};
use super::{Layout, SignedJson};
use crate::form::Form;
use crate::mac::Digest;
use crate::steps::{Body, Draft, Expr, Lifetime, Outgoing, SecretShape, SignError, Signs, Steps, Wanted, key, words};

/// Pointers and what stands there, for fields that are computed.
type Computed<'f> = Vec<(&'f str, Expr)>;

impl<C> Signs for SignedJson<C>
where
    Self: Form,
{
    fn signing(&self, wanted: &Wanted<'_>) -> Result<Steps, SignError> {
        let (mut draft, mut outgoing) = (Draft::default(), Outgoing::new(wanted));
        let (mut object, mut computed) = self.claims(wanted, &mut draft, &mut outgoing)?;
        let text = self.text(&object, &computed)?;
        let text = draft.step("text", text);
        let secret = key(self.secret_format, &mut draft);
        let digest = self.signatures.digest.unwrap_or(Digest::Sha256);
        let signature = Expr::signature(self.signatures.key_kind.private(), digest, secret, text);
        let signature = draft.step("signature", signature.encoded(self.signatures.encoding));
        computed.push((&self.signature_field, signature));
        let what = format!("the signature, {}", words::encoding(self.signatures.encoding));
        outgoing.part(&self.signature_field, "JSON body", what);
        insert(&mut object, &self.signature_field, &Value::Null);
        let signed = Expr::Object(members(object, "", &computed));
        let around: Vec<&str> = names(&self.fields.within).collect();
        let whole = around.iter().rev().fold(signed, |inner, name| match *name {
            "0" => Expr::List(vec![inner]),
            name => Expr::Object(vec![(name.to_owned(), inner)]),
        });
        let Expr::Object(body) = whole else {
            return Err(SignError::Unsupported("its body is a list"));
        };
        outgoing.request.body = Body::Json(body);
        let lifetime = self.timestamp_field.as_ref().map(|_| Lifetime::Window(self.window));
        Ok(draft.end(outgoing, SecretShape::either(self.signatures.key_kind.private(), self.secret_format), lifetime))
    }
}

impl<C> SignedJson<C> {
    /// The object with what is signed, and those of its fields that are computed.
    fn claims(
        &self,
        wanted: &Wanted<'_>,
        draft: &mut Draft,
        outgoing: &mut Outgoing,
    ) -> Result<(Map<String, Value>, Computed<'_>), SignError> {
        let given = Value::Object(wanted.claims().clone());
        let (mut object, mut computed) = (wanted.claims().clone(), Computed::new());
        for pointer in self.fields.signed.iter().filter(|pointer| value_at(&given, pointer).is_none()) {
            let (value, what) = match &self.accepted {
                _ if self.timestamp_field.as_ref() == Some(pointer) => {
                    computed.push((pointer, draft.step("now", Expr::Time(self.time_format, 0))));
                    (Value::Null, words::time(self.time_format).to_owned())
                }
                _ if self.event_id_field.as_ref() == Some(pointer) => {
                    computed.push((pointer, draft.step("id", Expr::Nonce)));
                    (Value::Null, "the event's id, the same for each attempt to deliver it".to_owned())
                }
                Some((field, values)) if field == pointer => {
                    let value = values.first().map(ToString::to_string).unwrap_or_default();
                    let what = format!("`{value}`");
                    (value.into(), what)
                }
                _ if self.fields.optional.contains(pointer) => continue,
                _ => (wanted.made_up(last_name(pointer))?.into(), "what you say about the event".to_owned()),
            };
            outgoing.part(pointer, "JSON body", what);
            insert(&mut object, pointer, &value);
        }
        outgoing.claims(wanted, "JSON body");
        Ok((object, computed))
    }

    /// The signed text.
    fn text(&self, object: &Map<String, Value>, computed: &Computed<'_>) -> Result<Expr, SignError> {
        const NOT_TEXT: SignError = SignError::Unsupported("a signed claim is neither text nor a whole number");
        let object = Value::Object(object.clone());
        let value = |pointer: &str| match computed.iter().find(|(other, _)| *other == pointer) {
            Some((_, expr)) => Ok(Some(expr.clone())),
            None => {
                let value = value_at(&object, pointer).map(|value| text_of(pointer, value).map_err(|_| NOT_TEXT));
                Ok::<_, SignError>(value.transpose()?.map(Expr::text))
            }
        };
        let mut parts = Vec::new();
        for (at, pointer) in self.fields.signed.iter().enumerate() {
            match (self.fields.layout, value(pointer)?) {
                (Layout::Concatenated, found) => parts.extend(found),
                (Layout::Joined(separator), found) => {
                    parts.extend((at > 0).then(|| Expr::text(separator.to_string())));
                    parts.extend(found);
                }
                (Layout::Lines, Some(found)) => {
                    parts.extend([Expr::text(format!("{}\n", last_name(pointer))), found, Expr::text("\n")]);
                }
                (Layout::Lines, None) => {}
            }
        }
        Ok(Expr::concat(parts))
    }
}

/// An object's members, some of which are computed.
fn members(object: Map<String, Value>, at: &str, computed: &Computed<'_>) -> Vec<(String, Expr)> {
    let member = |(name, value): (String, Value)| {
        let pointer = format!("{at}/{name}");
        let is_inside = |other: &str| other.strip_prefix(&pointer).is_some_and(|rest| rest.starts_with('/'));
        let value = match (computed.iter().find(|(other, _)| *other == pointer), value) {
            (Some((_, expr)), _) => expr.clone(),
            (None, Value::Object(inner)) if computed.iter().any(|(other, _)| is_inside(other)) => {
                Expr::Object(members(inner, &pointer, computed))
            }
            (None, value) => Expr::Value(value),
        };
        (name, value)
    };
    object.into_iter().map(member).collect()
}
