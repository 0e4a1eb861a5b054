//! How a partner makes the token.

use std::time::Duration;

use serde_json::{Map, Value};

use super::algorithm::Kind;
use super::named::{Named, Part};
use super::verifier::Verifier;
use super::{Audience, Jwt};
use crate::form::Form;
use crate::scheme::{Encoding, TimeFormat};
#[cfg(feature = "jwt-public-key")]
use crate::steps::PrivateAlgorithm;
use crate::steps::{Draft, Expr, Lifetime, Outgoing, SecretShape, SignError, Signs, Steps, Wanted, key};

/// How long a token of an example lives, if it may.
const LIFETIME: Duration = Duration::from_secs(300);

impl<C> Signs for Jwt<C>
where
    Self: Form,
{
    fn signing(&self, wanted: &Wanted<'_>) -> Result<Steps, SignError> {
        if self.query_hash.is_some() {
            return Err(SignError::Unsupported("its tokens hash the request"));
        }
        if self.nonce.checked().is_some() {
            return Err(SignError::Unsupported("its tokens answer a nonce that one browser was given"));
        }
        let required = self.required.iter().chain(&self.required_claims).map(AsRef::as_ref);
        let wanted = &wanted.with(required.filter(|name| !self.writes(name)))?;
        let (mut draft, mut outgoing) = (Draft::default(), Outgoing::new(wanted));
        let payload = self.payload(wanted, &mut draft, &mut outgoing)?;
        let token = token(&self.verifier, self.named.as_ref(), payload, wanted, &mut draft)?;
        self.places.put(&mut outgoing, token, what(&self.verifier));
        let secret = secret_shape(&self.verifier);
        Ok(draft.end(outgoing, secret, Some(Lifetime::Stated(self.leeway))))
    }
}

/// A token with this payload, as a step.
pub(super) fn token(
    verifier: &Verifier,
    named: Option<&Named>,
    payload: Vec<(String, Expr)>,
    wanted: &Wanted<'_>,
    draft: &mut Draft,
) -> Result<Expr, SignError> {
    let secret = key(verifier.secret_format(), draft);
    let payload = draft.step("payload", Expr::Json(payload)).encoded(Encoding::Base64Url);
    let header = draft.step("header", Expr::text(header(verifier, named, wanted)?)).encoded(Encoding::Base64Url);
    let text = draft.step("text", Expr::concat([header, Expr::text("."), payload]));
    let signature = match verifier.algorithm().kind() {
        Kind::Mac(digest) => Expr::hmac(digest, secret, text.clone()),
        #[cfg(feature = "jwt-public-key")]
        Kind::PublicKey(_) => {
            let algorithm = PrivateAlgorithm::of(verifier.algorithm().library());
            Expr::Signed(algorithm, Box::new(text.clone()))
        }
    };
    let signature = signature.encoded(Encoding::Base64Url);
    let signature = draft.step("signature", signature);
    Ok(draft.step("token", Expr::concat([text, Expr::text("."), signature])))
}

/// What a partner's secret looks like.
pub(super) fn secret_shape(verifier: &Verifier) -> SecretShape {
    let private = match verifier.algorithm().kind() {
        Kind::Mac(_) => None,
        #[cfg(feature = "jwt-public-key")]
        Kind::PublicKey(_) => Some(PrivateAlgorithm::of(verifier.algorithm().library())),
    };
    SecretShape::either(private, verifier.secret_format())
}

/// What the token is, for a partner.
pub(super) fn what(verifier: &Verifier) -> String {
    format!("the token: a JWT (RFC 7519) signed with `{}`", verifier.algorithm().name())
}

fn header(verifier: &Verifier, named: Option<&Named>, wanted: &Wanted<'_>) -> Result<String, SignError> {
    let mut header = Map::new();
    header.insert("alg".to_owned(), verifier.algorithm().name().into());
    header.insert("typ".to_owned(), verifier.required_type().unwrap_or("JWT").into());
    for (name, text) in verifier.required_members() {
        header.insert(name.clone().into_owned(), text.clone().into_owned().into());
    }
    if let Some(named) = named.filter(|named| named.part == Part::Header) {
        let tenant = named.prefix.clone().into_owned() + wanted.own_tenant()?;
        header.insert(named.member.clone().into_owned(), tenant.into());
    }
    Ok(Value::Object(header).to_string())
}

impl<C> Jwt<C> {
    /// Whether the layer knows what such a claim says, so that none is made up.
    fn writes(&self, claim: &str) -> bool {
        match claim {
            "exp" | "iat" => true,
            "aud" => matches!(self.audience, Audience::Ours(_)),
            "iss" => self.issuer.is_some(),
            "jti" => self.by_id,
            _ => self.nonce.member.as_deref() == Some(claim),
        }
    }

    /// The members of the payload: the claims, and those that the layer itself reads.
    fn payload(
        &self,
        wanted: &Wanted<'_>,
        draft: &mut Draft,
        outgoing: &mut Outgoing,
    ) -> Result<Vec<(String, Expr)>, SignError> {
        let mut own: Vec<(&str, Expr, String)> = Vec::new();
        if let Audience::Ours(ours) = &self.audience {
            own.push(("aud", text(ours), format!("for whom the token is: `{ours}`")));
        }
        if let Some(issuer) = &self.issuer {
            own.push(("iss", text(issuer), format!("who made it: `{issuer}`")));
        }
        if let Some(named) = self.named.as_ref().filter(|named| named.part == Part::Payload)
            && !has(wanted.claims(), &named.member)
        {
            if named.member.starts_with('/') {
                return Err(SignError::Unsupported("its tenant stands inside a claim: give that claim"));
            }
            let tenant = named.prefix.clone().into_owned() + wanted.own_tenant()?;
            own.push((&named.member, text(&tenant), format!("whose key signs: `{tenant}`")));
        }
        if !wanted.claims().contains_key("iat") {
            let now = draft.step("now", Expr::Time(TimeFormat::Seconds, 0));
            own.push(("iat", now, "when it was made, in seconds since 1970".to_owned()));
        }
        if !wanted.claims().contains_key("exp") {
            let longest = [self.max_lifetime, self.max_age].into_iter().flatten().min();
            let lifetime = longest.map_or(LIFETIME, |longest| longest.min(LIFETIME)).as_secs();
            let expires = draft.step("expires", Expr::Time(TimeFormat::Seconds, lifetime));
            let at_most = longest.map(|longest| format!(", at most {} s after `iat`", longest.as_secs()));
            own.push(("exp", expires, format!("when it ends{}", at_most.unwrap_or_default())));
        }
        if self.by_id && !wanted.claims().contains_key("jti") {
            own.push(("jti", draft.step("id", Expr::Nonce), "a text that no other token has".to_owned()));
        }
        if let Some(name) = &self.nonce.member {
            own.push((name, draft.step("nonce", Expr::Nonce), "a text that is new each time".to_owned()));
        }
        own.retain(|(name, ..)| !wanted.claims().contains_key(*name));
        let members = own.iter().map(|(name, value, _)| ((*name).to_owned(), value.clone()));
        let members = members.chain(wanted.members()).collect();
        for (name, _, what) in own {
            outgoing.part(name, "payload", what);
        }
        outgoing.claims(wanted, "payload");
        Ok(members)
    }
}

/// Whether there is such a claim. A name that begins with `/` is a pointer (RFC 6901).
fn has(claims: &Map<String, Value>, name: &str) -> bool {
    match name.starts_with('/') {
        true => Value::Object(claims.clone()).pointer(name).is_some(),
        false => claims.contains_key(name),
    }
}

fn text(text: &str) -> Expr {
    Expr::Value(text.into())
}
