use crate::rejection::Reason;

/// Why something could not be signed.
///
/// ```
/// use tower_sso::sign::SignError;
///
/// assert!(SignError::Key("is empty").to_string().contains("is empty"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The key is invalid.
    #[error("the key {0}")]
    Key(&'static str),
    /// The address is invalid.
    #[error("the address {0}")]
    Address(&'static str),
    /// The claims cannot be written as JSON.
    #[error("the claims cannot be written as JSON: {0}")]
    Claims(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The claims lack one that the layer requires or signs.
    #[error("the claims lack `{0}`, which the layer needs: give it a value")]
    Missing(String),
    /// The layer would refuse the example of a partner's page, for this reason.
    #[error("the layer would refuse the example, so check its address and claims: {0}")]
    Refused(Reason),
    /// The layer's requests cannot be described step by step.
    #[error("not possible for this layer: {0}")]
    Unsupported(&'static str),
}

impl SignError {
    pub(crate) const NO_TENANT: Self =
        Self::Unsupported("each request names its tenant, and none was given: call `tenant`");

    pub(crate) fn claims(error: serde_json::Error) -> Self {
        Self::Claims(error.into())
    }
}
