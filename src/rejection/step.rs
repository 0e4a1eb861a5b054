/// The steps of a check, in the order that every form follows.
///
/// [`Reason::step`](super::Reason::step) tells at which step a request was refused. All earlier steps
/// passed. What is refused before the body is read counts as [`Extract`](Self::Extract); so does
/// [`TooManyGuesses`](super::Reason::TooManyGuesses), wherever it is found.
///
/// ```
/// use tower_sso::rejection::{Reason, Step};
///
/// let refused_at = Reason::Expired.step();
/// let passed: Vec<_> = Step::ALL.into_iter().filter(|step| *step < refused_at).collect();
/// assert_eq!(passed, [Step::Extract, Step::Keys, Step::Verify]);
/// ```
// Exhaustive, like `ALL`: a new step changes the order that every form follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Find the parts of the form in the request and decode them.
    Extract,
    /// Find the tenant's keys, at least one of them active. One that has none is refused after the decoy was tried.
    Keys,
    /// Check that one of them made the signature.
    Verify,
    /// Check that the credential is inside its window.
    Time,
    /// Check the payload.
    Claims,
    /// Check that the credential is not older than the store's startup cutoff, and was not used before.
    Replay,
}

impl Step {
    /// All steps, in order.
    pub const ALL: [Self; 6] = [Self::Extract, Self::Keys, Self::Verify, Self::Time, Self::Claims, Self::Replay];

    /// The step's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Extract => "extract",
            Self::Keys => "keys",
            Self::Verify => "verify",
            Self::Time => "time",
            Self::Claims => "claims",
            Self::Replay => "replay",
        }
    }
}

/// The step's name.
impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
