//! What a partner may do otherwise than this layer expects.

use super::{PayloadEncoding, SignedPayload};
use crate::near_miss::copy_form;

const ENCODINGS: [(PayloadEncoding, &str); 4] = [
    (PayloadEncoding::Base64Url, "base64url"),
    (PayloadEncoding::Base64, "base64"),
    (PayloadEncoding::Base64Lines, "base64 in lines"),
    (PayloadEncoding::Text, "text that is not encoded"),
];

copy_form!(SignedPayload<C> {
    layout, encoding, content, signature, signs_decoded, time, window, usage, forgetting_is_fine, nonce, tenant,
    required, fixed,
});

impl<C> SignedPayload<C> {
    pub(super) fn near(&self) -> Vec<(String, Self)> {
        let (theirs, ours) = match self.signs_decoded {
            true => ("encoded payload", "decoded"),
            false => ("decoded payload", "encoded"),
        };
        let cause = format!("the partner signs the {theirs}, and this layer expects that the {ours} one is signed");
        let mut near = vec![(cause, Self { signs_decoded: !self.signs_decoded, ..self.copy() })];
        for (encoding, written) in ENCODINGS.into_iter().filter(|(encoding, _)| *encoding != self.encoding) {
            let cause = format!("the partner writes the payload as {written}: see `payload_encoding`");
            near.push((cause, Self { encoding, ..self.copy() }));
        }
        let signatures = self.signature.near().into_iter();
        near.extend(signatures.map(|(cause, signature)| (cause, Self { signature, ..self.copy() })));
        let turned = Self { layout: self.layout.turned(), ..self.copy() };
        near.push(("payload and signature are in each other's place".into(), turned));
        near
    }
}
