//! How a partner makes the token.

use super::Fernet;
use crate::form::Form;
use crate::steps::{Draft, Expr, Lifetime, Outgoing, SecretShape, SignError, Signs, Steps, Wanted};

impl<C, R> Signs for Fernet<C, R>
where
    Self: Form,
{
    fn signing(&self, wanted: &Wanted<'_>) -> Result<Steps, SignError> {
        let wanted = &wanted.with(self.required.iter().map(AsRef::as_ref))?;
        let (mut draft, mut outgoing) = (Draft::default(), Outgoing::new(wanted));
        let payload = draft.step("payload", Expr::Json(wanted.members().collect()));
        let token = Expr::Fernet { key: Box::new(Expr::Secret), text: Box::new(payload) };
        let token = draft.step("token", token);
        self.places.put(&mut outgoing, token, "the payload in a Fernet token: encrypted, signed and with its time");
        outgoing.claims(wanted, "payload");
        Ok(draft.end(outgoing, SecretShape::Fernet, Some(Lifetime::Window(self.window))))
    }
}
