//! How a consumer signs a request.

use http::Method;
use http::header::AUTHORIZATION;

use super::{OAuth1, Transport, base_uri_of};
use crate::form::Form;
use crate::scheme::{Encoding, TimeFormat};
use crate::steps::{Draft, Escape, Expr, Lifetime, Outgoing, SecretShape, SignError, Signs, Steps, Wanted};

impl<C> Signs for OAuth1<C>
where
    Self: Form,
{
    fn signing(&self, wanted: &Wanted<'_>) -> Result<Steps, SignError> {
        let wanted = &wanted.with(self.required.iter().map(AsRef::as_ref))?;
        let (mut draft, mut outgoing) = (Draft::default(), Outgoing::bare(wanted));
        let transport = self.transport(wanted)?;
        let method = self.methods.first().ok_or(SignError::Unsupported("it takes no signature method"))?;
        let (now, nonce) = (draft.step("now", Expr::Time(TimeFormat::Seconds, 0)), draft.step("nonce", Expr::Nonce));
        let protocol = [
            ("oauth_consumer_key", Expr::text(wanted.own_tenant()?.to_owned()), "your key, as agreed"),
            ("oauth_nonce", nonce, "a text that no other request of this second has"),
            ("oauth_signature_method", Expr::text(method.as_str()), "how it is signed"),
            ("oauth_timestamp", now, "when it is signed, in seconds since 1970"),
            ("oauth_version", Expr::text("1.0"), "`1.0`"),
        ];
        let place = match transport {
            Transport::Query => "query",
            Transport::Header => "`Authorization` header",
            Transport::Form => "form",
        };
        protocol.iter().for_each(|(name, _, what)| outgoing.part(name, place, *what));
        outgoing.part("oauth_signature", place, "the signature, in base64");
        outgoing.claims(wanted, if transport == Transport::Form { "form" } else { "query" });
        let protocol = protocol.map(|(name, value, _)| (name.to_owned(), value));
        let own: Vec<_> = wanted.address_pairs()?.into_iter().chain(wanted.texts()).collect();
        let parameters = own.iter().cloned().chain(protocol.clone()).collect();
        let parameters = draft.step("parameters", Expr::Pairs(parameters));
        let address = base_uri_of(&outgoing.request.address);
        let address = address.ok_or(SignError::Address("is not one such as https://app.example/widget/"))?;
        let sorted = parameters.clone().escaped_pairs(Escape::Percent).by_name().joined("=", "&");
        let fixed = Expr::concat([
            Expr::text(format!("{}&", outgoing.request.method)),
            Expr::text(address.clone()).escaped(Escape::Percent),
            Expr::text("&"),
        ]);
        let sorted = draft.step("normalized", sorted);
        let text = draft.step("text", Expr::concat([fixed, sorted.escaped(Escape::Percent)]));
        let key = Expr::concat([Expr::Secret.escaped(Escape::Percent), Expr::text("&")]);
        let key = draft.step("key", key);
        let signature = Expr::hmac(method.digest(), key, text).encoded(Encoding::Base64);
        let signature = draft.step("signature", signature);
        outgoing.request.address = address;
        match transport {
            Transport::Query => {
                outgoing.request.query.push(parameters.form());
                outgoing.query("oauth_signature", signature);
            }
            Transport::Form => {
                outgoing.form(parameters.form());
                outgoing.form_field("oauth_signature", signature);
            }
            Transport::Header => {
                if !own.is_empty() {
                    outgoing.request.query.push(Expr::Pairs(own).form());
                }
                let protocol = Expr::Pairs(protocol.into()).escaped_pairs(Escape::Percent).joined("=\"", "\", ");
                let last = [Expr::text("\", oauth_signature=\""), signature.escaped(Escape::Percent), Expr::text("\"")];
                let header = [Expr::text("OAuth "), protocol].into_iter().chain(last);
                outgoing.header(&AUTHORIZATION, Expr::concat(header));
            }
        }
        Ok(draft.end(outgoing, SecretShape::Text, Some(Lifetime::Window(self.window))))
    }
}

impl<C> OAuth1<C> {
    fn transport(&self, wanted: &Wanted<'_>) -> Result<Transport, SignError> {
        let takes = |transport| self.transports.contains(&transport);
        match *wanted.method() == Method::GET {
            true if takes(Transport::Query) => Ok(Transport::Query),
            true if takes(Transport::Header) => Ok(Transport::Header),
            false if takes(Transport::Form) => Ok(Transport::Form),
            _ => Err(SignError::Unsupported("its requests hash their bodies: see `sign::OAuthLink`")),
        }
    }
}
