//! What a partner may do otherwise than this layer expects.

use super::{Seal, Sealed};
use crate::near_miss::copy_form;

copy_form!(Sealed<C> { seal, at, time, window, usage, fixed });

impl<C> Sealed<C> {
    pub(super) fn near(&self) -> Vec<(String, Self)> {
        let (seal, theirs) = match self.seal {
            Seal::FramedAesGcm => (Seal::AesCbcThenHmac, "AES-CBC and HMAC, and this layer expects AES-GCM"),
            Seal::AesCbcThenHmac => (Seal::FramedAesGcm, "AES-GCM, and this layer expects AES-CBC and HMAC"),
        };
        vec![(format!("the partner seals with {theirs}"), Self { seal, ..self.copy() })]
    }
}
