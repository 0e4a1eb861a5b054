//! How a partner shows the secret.

use http::Method;

use super::token::Written;
use super::{FromCall, SharedSecret};
use crate::form::Form;
use crate::scheme::Encoding;
use crate::steps::{Body, Draft, Expr, Outgoing, SecretShape, SignError, Signs, Steps, Wanted};

impl<C: FromCall> Signs for SharedSecret<C>
where
    Self: Form,
{
    fn signing(&self, wanted: &Wanted<'_>) -> Result<Steps, SignError> {
        let wanted = &wanted.with(self.required.iter().map(AsRef::as_ref))?;
        let (mut draft, mut outgoing) = (Draft::default(), Outgoing::new(wanted));
        if (C::READS_BODY || self.place.is_in_body()) && wanted.method() != Method::GET {
            if self.place.is_form() {
                wanted.texts().for_each(|(name, value)| outgoing.form_field(&name, value));
            } else {
                outgoing.request.body = Body::Json(wanted.members().collect());
            }
            outgoing.claims(wanted, "body");
        }
        let (token, what) = match self.written {
            // The secret is `user:password`.
            Written::Credentials => (basic(Expr::Secret, &mut draft), "base64 of the secret, which is `user:password`"),
            Written::Password => {
                let user = wanted.tenant().unwrap_or("user").to_owned();
                (basic(Expr::concat([Expr::text(user + ":"), Expr::Secret]), &mut draft), "base64 of `user:secret`")
            }
            _ => (Expr::Secret, "the secret"),
        };
        self.place.put(&mut outgoing, token, what);
        let secret = if self.written == Written::Credentials { SecretShape::Credentials } else { SecretShape::Text };
        Ok(draft.end(outgoing, secret, None))
    }
}

fn basic(text: Expr, draft: &mut Draft) -> Expr {
    draft.step("credentials", text.encoded(Encoding::Base64))
}
