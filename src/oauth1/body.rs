//! The signed hash of a body that is not a form (OAuth Request Body Hash 1.0, draft 4: draft-eaton-oauth-bodyhash-00).

use bytes::Bytes;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::SignatureMethod;
use super::parameters::{Parameters, is_form, protocol};
use crate::mac::Tag;
use crate::rejection::Reason;
use http::request::Parts;

/// A body and its claimed hash.
pub(super) struct HashedBody {
    body: Bytes,
    stated: Tag,
}

impl HashedBody {
    /// The body whose hash is signed, if there is a hash. Without one, the body is a form, which is signed itself, or
    /// was not read.
    pub(super) fn of(
        head: &Parts,
        body: &Bytes,
        parameters: &Parameters,
        method: SignatureMethod,
    ) -> Result<Option<Self>, Reason> {
        let is_form = is_form(head);
        match parameters.protocol(protocol::BODY_HASH) {
            Some(_) if is_form => {
                // OAuth Request Body Hash 1.0, 4.1.1.
                Err(Reason::Malformed("oauth_body_hash".into(), "stands beside a form, which is signed itself"))
            }
            Some(stated) => {
                let stated = Tag::from_base64(stated, method.digest().length()).ok_or(Reason::Malformed(
                    "oauth_body_hash".into(),
                    "is not canonical base64 of the digest's length",
                ))?;
                Ok(Some(Self { body: body.clone(), stated }))
            }
            None => Ok(None),
        }
    }

    /// Whether the body has the signed hash.
    pub(super) fn is_as_stated(&self, method: SignatureMethod) -> bool {
        body_hash(method, &self.body).ct_eq(&self.stated).into()
    }
}

/// The hash of a body, by the digest of the signature method.
pub(crate) fn body_hash(method: SignatureMethod, body: &[u8]) -> Vec<u8> {
    match method {
        SignatureMethod::HmacSha1 => Sha1::digest(body).to_vec(),
        SignatureMethod::HmacSha256 => Sha256::digest(body).to_vec(),
    }
}
