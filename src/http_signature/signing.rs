//! How a sender signs a message.

use std::borrow::Cow;

use http::Method;

use super::base::derived;
use super::{CONTENT_DIGEST, HttpSignature, SIGNATURE, SIGNATURE_INPUT};
use crate::form::Form;
use crate::mac::Digest;
use crate::scheme::{Encoding, TimeFormat, base_uri_of};
use crate::steps::{
    Body, Draft, Expr, Lifetime, Outgoing, SecretShape, SignError, Signs, Steps, Wanted, as_written, key,
};

impl<C> Signs for HttpSignature<C>
where
    Self: Form,
{
    fn signing(&self, wanted: &Wanted<'_>) -> Result<Steps, SignError> {
        let (mut draft, mut outgoing) = (Draft::default(), Outgoing::new(wanted));
        // As the layer reads it: RFC 9421, 2.2.2 and 2.2.3.
        let address = base_uri_of(&outgoing.request.address);
        outgoing.request.address = address.ok_or(SignError::Address("is not one such as https://app.example/hook"))?;
        let digest = self.body(wanted, &mut draft, &mut outgoing);
        let now = draft.step("now", Expr::Time(TimeFormat::Seconds, 0));
        let components = self.components(digest.is_some());
        let covered = draft.step("covered", self.covered(&components, now, wanted)?);
        let text = base(&components, &covered, digest.as_ref(), &outgoing)?;
        let text = draft.step("text", text);
        let secret = key(self.secret_format, &mut draft);
        let signature =
            Expr::signature(self.signatures.key_kind.private(), Digest::Sha256, secret, text).encoded(Encoding::Base64);
        let signature = draft.step("signature", signature);
        let label = self.label.as_deref().unwrap_or("sig1");
        let labelled = |before: &str, value, after: &'static str| {
            Expr::concat([Expr::text(format!("{label}={before}")), value, Expr::text(after)])
        };
        for (name, value, what) in [
            (SIGNATURE_INPUT, labelled("", covered, ""), "what is signed, and when (RFC 9421, 4.1)"),
            (SIGNATURE, labelled(":", signature, ":"), "the signature, in base64 between colons (RFC 9421, 4.2)"),
        ] {
            outgoing.part(&as_written(&name), "header", what);
            outgoing.header(&name, value);
        }
        let secret = SecretShape::either(self.signatures.key_kind.private(), self.secret_format);
        Ok(draft.end(outgoing, secret, Some(Lifetime::Window(self.window))))
    }
}

impl<C> HttpSignature<C> {
    /// Sets the body and its digest, and returns what stands in the digest's header.
    fn body(&self, wanted: &Wanted<'_>, draft: &mut Draft, outgoing: &mut Outgoing) -> Option<Expr> {
        if self.optional_body && matches!(*wanted.method(), Method::GET | Method::DELETE) {
            return None;
        }
        let body = draft.step("body", Expr::Json(wanted.members().collect()));
        outgoing.part("the body", "body", "`application/json`: sent byte for byte as it was hashed");
        outgoing.claims(wanted, "body");
        outgoing.request.body = Body::Text(body.clone(), "application/json".into());
        let digest = Expr::Hash(Digest::Sha256, Box::new(body)).encoded(Encoding::Base64);
        let digest = draft.step("digest", Expr::concat([Expr::text("sha-256=:"), digest, Expr::text(":")]));
        outgoing.part(
            &as_written(&CONTENT_DIGEST),
            "header",
            "the body's SHA-256, in base64 between colons (RFC 9530)",
        );
        outgoing.header(&CONTENT_DIGEST, digest.clone());
        Some(digest)
    }

    fn components(&self, has_body: bool) -> Vec<Cow<'static, str>> {
        let mut components = self.required.clone();
        if has_body && !components.iter().any(|name| name == "content-digest") {
            components.push("content-digest".into());
        }
        components
    }

    /// What is covered, and the signature's parameters.
    fn covered(&self, components: &[Cow<'static, str>], now: Expr, wanted: &Wanted<'_>) -> Result<Expr, SignError> {
        let names: Vec<_> = components.iter().map(|name| format!("\"{name}\"")).collect();
        let mut parameters = String::new();
        if self.named_by_keyid {
            parameters += &format!(";keyid={}", quoted(wanted.own_tenant()?));
        }
        if let Some(tag) = &self.tag {
            parameters += &format!(";tag={}", quoted(tag));
        }
        parameters += &format!(";alg=\"{}\"", self.algorithm.name());
        Ok(Expr::concat([Expr::text(format!("({});created=", names.join(" "))), now, Expr::text(parameters)]))
    }
}

/// The signature base (RFC 9421, 2.5).
fn base(
    components: &[Cow<'static, str>],
    covered: &Expr,
    digest: Option<&Expr>,
    outgoing: &Outgoing,
) -> Result<Expr, SignError> {
    const OTHER: SignError = SignError::Unsupported("it signs a header that the layer does not set itself");
    let (uri, method) = (outgoing.request.uri(), &outgoing.request.method);
    let Expr::Text(url) = &uri else { return Err(OTHER) };
    let mut parts = Vec::new();
    for component in components {
        let value = match (derived(component, method, url), &**component) {
            (Some(value), _) => Expr::text(value),
            (None, "content-digest") => digest.cloned().ok_or(OTHER)?,
            (None, "content-type") => Expr::text("application/json"),
            (None, _) => return Err(OTHER),
        };
        parts.extend([Expr::text(format!("\"{component}\": ")), value, Expr::text("\n")]);
    }
    parts.extend([Expr::text("\"@signature-params\": "), covered.clone()]);
    Ok(Expr::concat(parts))
}

/// A string of RFC 8941.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
