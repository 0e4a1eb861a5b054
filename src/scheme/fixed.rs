use std::borrow::Cow;

use crate::rejection::Reason;

/// Refuses a payload in which one of these members is missing or has another text.
pub(crate) fn check_fixed(
    fixed: &[(Cow<'static, str>, Cow<'static, str>)],
    member: impl Fn(&str) -> Result<Option<String>, Reason>,
) -> Result<(), Reason> {
    for (name, expected) in fixed {
        let given = member(name)?.ok_or_else(|| Reason::MissingClaim(name.clone()))?;
        if given != *expected {
            return Err(Reason::BadClaim(name.clone(), "is not what it has to be"));
        }
    }
    Ok(())
}
