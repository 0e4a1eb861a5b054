use std::ops::Range;
use std::sync::Arc;

use memchr::memchr_iter;

use crate::challenge::Binding;
use crate::debug::opaque_debug;
use crate::keys::TenantId;
use crate::rejection::Reason;
use crate::text::base64::{decode_base64url_onto, without_padding};

/// A structurally valid token. Its maker is not verified yet.
pub struct Token(pub(super) Arc<Parts>);

/// The parts of a token. An authentic token shares them with the one received.
pub(super) struct Parts {
    /// The token up to its second dot, which is the signed part; then signature, header and payload, decoded.
    all: Vec<u8>,
    signature: usize,
    header: usize,
    payload: usize,
    /// The tenant that it names, if the layer asks it.
    pub(super) named: Option<TenantId>,
    /// The hash of the request that it came with, if the layer checks one.
    pub(super) request_hash: Option<String>,
    /// By what the nonces of its browser are known, if the layer checks them.
    pub(super) binding: Option<Binding>,
}

/// An authentic token's content.
pub struct Message {
    pub(super) parts: Arc<Parts>,
    /// The public key that verified it; empty for a shared secret.
    pub(super) signer: Vec<u8>,
    /// The payload, or the error for what is wrong with it.
    pub(super) judged: Result<super::Judged, Reason>,
}

impl Parts {
    pub(super) fn parse(text: &str, longest: usize, padded: bool) -> Result<Self, &'static str> {
        if text.len() > longest {
            return Err("is too long");
        }
        let mut dots = memchr_iter(b'.', text.as_bytes());
        let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) else {
            return Err("does not have three parts");
        };
        let mut all = Vec::with_capacity(second + text.len());
        all.extend_from_slice(text.as_bytes().get(..second).unwrap_or_default());
        let mut decode = |part: Range<usize>| {
            let part = text.get(part).unwrap_or_default();
            let bare = if padded { without_padding(part) } else { Some(part) };
            bare.and_then(|bare| decode_base64url_onto(bare.as_bytes(), &mut all))
                .ok_or("is not canonical base64url: it has another alphabet, or its end was cut off")?;
            Ok::<_, &'static str>(all.len())
        };
        let header = decode(second + 1..text.len())?;
        let payload = decode(0..first)?;
        decode(first + 1..second)?;
        Ok(Parts { all, signature: second, header, payload, named: None, request_hash: None, binding: None })
    }

    pub(super) fn signed(&self) -> &[u8] {
        self.all.get(..self.signature).unwrap_or_default()
    }

    pub(super) fn signature(&self) -> &[u8] {
        self.all.get(self.signature..self.header).unwrap_or_default()
    }

    pub(super) fn header(&self) -> &[u8] {
        self.all.get(self.header..self.payload).unwrap_or_default()
    }

    pub(super) fn payload(&self) -> &[u8] {
        self.all.get(self.payload..).unwrap_or_default()
    }
}

opaque_debug!(Token);
opaque_debug!(Message);
