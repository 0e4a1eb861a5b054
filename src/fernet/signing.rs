//! How a partner makes the token.

use super::Fernet;
use crate::form::Form;
use crate::scheme::TimeFormat;
use crate::steps::{Draft, Expr, Lifetime, Outgoing, SecretShape, SignError, Signs, Steps, Wanted, words};

impl<C, R> Signs for Fernet<C, R>
where
    Self: Form,
{
    fn signing(&self, wanted: &Wanted<'_>) -> Result<Steps, SignError> {
        // The layer compares it with the token's own time.
        let time = self.timestamp_claim.as_deref().filter(|name| !wanted.has(name));
        let time = time.filter(|name| self.required.iter().any(|required| required == name));
        let others = self.required.iter().map(AsRef::as_ref).filter(|name| Some(*name) != time);
        let wanted = &wanted.with(others)?;
        let (mut draft, mut outgoing) = (Draft::default(), Outgoing::new(wanted));
        let members = match time {
            Some(name) => {
                outgoing.part(name, "payload", words::time(TimeFormat::Seconds));
                wanted.members_with(name, draft.step("now", Expr::Time(TimeFormat::Seconds, 0)))
            }
            None => wanted.members().collect(),
        };
        let payload = draft.step("payload", Expr::Json(members));
        let token = Expr::Fernet { key: Box::new(Expr::Secret), text: Box::new(payload) };
        let token = draft.step("token", token);
        self.places.put(&mut outgoing, token, "the payload in a Fernet token: encrypted, signed and with its time");
        outgoing.claims(wanted, "payload");
        Ok(draft.end(outgoing, SecretShape::Fernet, Some(Lifetime::Window(self.window))))
    }
}
