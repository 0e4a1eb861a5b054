//! How a sender signs a delivery.

use http::Method;

use super::sameness::EventId;
use super::signed::{Part, Template};
use super::{Digest, Encoding, Webhook};
use crate::form::Form;
use crate::received;
use crate::scheme::base_uri_of;
use crate::steps::{
    Body, Draft, Expr, Lifetime, Outgoing, SecretShape, SignError, Signs, Steps, Wanted, as_written, key, words,
};

impl<C> Signs for Webhook<C>
where
    Self: Form,
{
    fn signing(&self, wanted: &Wanted<'_>) -> Result<Steps, SignError> {
        let wanted = &match &self.sameness.event_id {
            Some(EventId::Field(name)) => wanted.with([&**name])?,
            _ => wanted.clone(),
        };
        let (mut draft, mut outgoing) = (Draft::default(), Outgoing::new(wanted));
        let now = self.has_time().then(|| draft.step("now", Expr::Time(self.time_format, self.lifetime())));
        let body = self.body(wanted, now.as_ref(), &mut draft, &mut outgoing)?;
        self.address(&body, &mut outgoing);
        let id = self.id_header.as_ref().map(|_| draft.step("id", Expr::Nonce));
        let secret = key(self.secret_format, &mut draft);
        for (name, value, what) in [
            (&self.timestamp_header, &now, words::time(self.time_format)),
            (&self.id_header, &id, "the delivery's id, the same for each attempt to deliver it"),
        ] {
            if let (Some(name), Some(value)) = (name, value) {
                outgoing.header(name, value.clone());
                outgoing.part(&as_written(name), "header", what);
            }
        }
        outgoing.claims(wanted, "body");
        let template = self.template.as_ref().map_err(|_| SignError::Unsupported("its template is not one"))?;
        let text = self.text(template, &outgoing, [now.as_ref(), id.as_ref(), Some(&body)])?;
        let text = if let Expr::Step(..) = text { text } else { draft.step("text", text) };
        let signature = draft.step("signature", self.signature(secret, text)?);
        let name = self.signatures.headers.first().ok_or(NO_HEADER)?;
        let element = self.signatures.timestamp_element.as_deref();
        let separator = self.signatures.separator.map(String::from).unwrap_or_default();
        let before =
            element.zip(now).map(|(element, now)| [Expr::text(element.to_owned()), now, Expr::text(separator)]);
        let prefix = Expr::text(self.signatures.prefix.clone());
        outgoing.header(name, Expr::concat(before.into_iter().flatten().chain([prefix, signature])));
        outgoing.part(&as_written(name), "header", self.written());
        let lifetime = match self.expires_within {
            None => Lifetime::Window(self.window),
            Some(_) => Lifetime::Stated(self.window.clock_skew),
        };
        let lifetime = self.has_time().then_some(lifetime);
        Ok(draft.end(outgoing, SecretShape::either(self.signatures.key_kind.private(), self.secret_format), lifetime))
    }
}

impl<C> Webhook<C> {
    /// How many seconds after it is signed an example ends, if its time is when it ends.
    fn lifetime(&self) -> u64 {
        self.expires_within.map_or(0, |longest| longest.as_secs().min(300))
    }

    /// The body as a step.
    fn body(
        &self,
        wanted: &Wanted<'_>,
        now: Option<&Expr>,
        draft: &mut Draft,
        outgoing: &mut Outgoing,
    ) -> Result<Expr, SignError> {
        if wanted.method() == Method::GET && self.optional_body {
            return Ok(Expr::text(""));
        }
        let content_type = self.content_types.as_ref().and_then(|all| all.first()).cloned();
        let content_type = content_type.unwrap_or("application/json".into());
        let text = match &*content_type {
            "application/x-www-form-urlencoded" => Expr::Pairs(wanted.texts().collect()).form(),
            _ if content_type.ends_with("json") => {
                let field = self.timestamp_field.as_ref().filter(|name| !wanted.has(name));
                Expr::Json(match field.zip(now) {
                    Some((name, now)) => {
                        outgoing.part(name, "body", words::time(self.time_format));
                        wanted.members_with(name, now.clone())
                    }
                    None => wanted.members().collect(),
                })
            }
            _ => return Err(SignError::Unsupported("its bodies are neither JSON nor a form")),
        };
        let body = draft.step("body", text);
        outgoing.part("the body", "body", format!("`{content_type}`: sent byte for byte as it was signed"));
        outgoing.request.body = Body::Text(body.clone(), content_type);
        Ok(body)
    }

    /// The address as the layer reads it, with what it must say of the body.
    fn address(&self, body: &Expr, outgoing: &mut Outgoing) {
        // One with a user in it stays as it is.
        if let Some(normalized) = base_uri_of(&outgoing.request.address) {
            outgoing.request.address = normalized;
        }
        if let Some(name) = &self.reading.body_digest {
            let digest = Expr::Hash(Digest::Sha256, Box::new(body.clone())).encoded(Encoding::Hex);
            outgoing.query(name, digest);
            outgoing.part(name, "query, as its last parameter", "the body's SHA-256, in hexadecimal");
        }
    }

    fn signature(&self, secret: Expr, text: Expr) -> Result<Expr, SignError> {
        let signatures = &self.signatures;
        let digest = signatures.digest.unwrap_or(Digest::Sha256);
        let mac = match signatures.secret_first {
            true if secret != Expr::Secret => return Err(SignError::Unsupported("it hashes a secret that is decoded")),
            true => Expr::Hash(digest, Box::new(Expr::concat([secret, text]))),
            false => Expr::signature(signatures.key_kind.private(), digest, secret, text),
        };
        Ok(mac.encoded(signatures.encoding))
    }

    /// The signed text.
    fn text(&self, template: &Template, outgoing: &Outgoing, parts: [Option<&Expr>; 3]) -> Result<Expr, SignError> {
        let [now, id, body] = parts;
        let request = &outgoing.request;
        let missing = || SignError::Unsupported("its template names a part that it has no header for");
        let parts = template.0.iter().map(|part| {
            Ok(match part {
                Part::Literal(literal) => Expr::text(literal.to_string()),
                Part::Timestamp => now.cloned().ok_or_else(missing)?,
                Part::Id => id.cloned().ok_or_else(missing)?,
                Part::Body => body.cloned().ok_or_else(missing)?,
                Part::BodySha256 => {
                    let body = body.cloned().ok_or_else(missing)?;
                    Expr::Hash(Digest::Sha256, Box::new(body)).encoded(Encoding::Hex)
                }
                Part::Method => Expr::text(request.method.to_string()),
                Part::Url => request.uri(),
                Part::Path => Expr::text(self.path(&request.address)?),
                Part::Query => request.query(),
                Part::BodyCrc32 | Part::Form | Part::EncodedUri | Part::Headers => {
                    return Err(SignError::Unsupported(
                        "it signs a checksum, a form, an encoded URI or listed headers",
                    ));
                }
            })
        });
        Ok(Expr::concat(parts.collect::<Result<Vec<_>, SignError>>()?))
    }

    /// The path of an address, below the app's own.
    fn path(&self, address: &str) -> Result<String, SignError> {
        const NOT_BELOW: SignError = SignError::Address("is not below the app's own path: see `path_below`");
        let uri: http::Uri =
            address.parse().map_err(|_| SignError::Address("is not one such as https://app.example/"))?;
        received::path_below(&uri, &self.reading.base_path).map(str::to_owned).ok_or(NOT_BELOW)
    }

    fn written(&self) -> String {
        let encoding = words::encoding(self.signatures.encoding);
        let (prefix, separator) = (&self.signatures.prefix, self.signatures.separator);
        let time = self.signatures.timestamp_element.as_deref().zip(separator);
        let time = time.map(|(element, separator)| format!("`{element}` and the time, then `{separator}`; "));
        let before = if prefix.is_empty() { String::new() } else { format!("`{prefix}` and ") };
        format!("{}{before}the signature, {encoding}", time.unwrap_or_default())
    }
}

const NO_HEADER: SignError = SignError::Unsupported("its signature is in no header");
