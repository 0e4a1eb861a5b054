use serde::de::DeserializeOwned;

use super::OAuth1;
use crate::Builder;

/// What some senders do otherwise than the RFC. Each is one more text that may have been signed, and only the MAC
/// decides which one was.
#[derive(Clone, Copy, Default)]
pub(super) struct Quirks {
    pub(super) copied_query: bool,
    pub(super) caseless_names: bool,
    /// Of no sender: a slip, while it is tried.
    #[cfg(feature = "explain")]
    pub(super) unsigned_query: bool,
}

impl<C, D> Builder<OAuth1<C>, D>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    /// Also accepts a signature that counts a pair of the query once if the form has the same pair: Canvas copies the
    /// launch URL's query into the form, and signs it once. Default: every pair counts, as the RFC says.
    ///
    /// Weakens nothing: both copies are equal, and the rest is signed. A forgery costs two checks.
    pub fn query_copied_into_form(mut self) -> Self {
        self.form.quirks.copied_query = true;
        self
    }

    /// Also accepts a signature over names that were sorted without regard to case, as Oracle Eloqua does. Default:
    /// sorted by their bytes, as the RFC says.
    ///
    /// Weakens nothing: the same pairs are signed. A forgery costs two checks.
    pub fn names_sorted_without_case(mut self) -> Self {
        self.form.quirks.caseless_names = true;
        self
    }
}
