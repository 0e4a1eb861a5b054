//! What a sender may do otherwise than this layer expects.

use http::request::Parts;

use super::HttpSignature;
use crate::mac::Digest;
use crate::near_miss::copy_form;

copy_form!(HttpSignature<C> {
    algorithm, signatures, secret_format, origin, label, tag, required, named_by_keyid, window, any_content_type,
    optional_body, lease,
});

impl<C> HttpSignature<C> {
    pub(super) fn near(&self, head: &Parts) -> Vec<(String, Self)> {
        let mut near = Vec::new();
        for (cause, origin) in self.origin.near(head) {
            near.push((cause, Self { origin, ..self.copy() }));
        }
        // The algorithm and the encoding are fixed.
        let ours = self.signatures.encoding;
        for (cause, made) in self.signatures.near(self.secret_format) {
            if made.encoding == ours && made.digest == Digest::Sha256 {
                near.push((cause, Self { secret_format: made.secret_format, ..self.copy() }));
            }
        }
        near
    }
}
