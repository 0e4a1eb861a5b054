//! What a sender may do otherwise than this layer expects.

use http::request::Parts;

use super::HttpSignature;
use crate::mac::Digest;
use crate::near_miss::copy_form;

/// A slip in the signature base, while it is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slip {
    LineFeed,
    WithoutParameters,
    Label,
    CarriageReturns,
    BodyAlone,
}

const SLIPS: [(Slip, &str); 5] = [
    (Slip::LineFeed, "ends the signature base with a line feed: its last line has none (RFC 9421, 2.5)"),
    (Slip::WithoutParameters, "leaves the line `@signature-params` out of the signature base (RFC 9421, 2.5)"),
    (Slip::Label, "writes the label into the line `@signature-params`: it begins with the list (RFC 9421, 2.5)"),
    (Slip::CarriageReturns, "ends the lines of the signature base with a carriage return (RFC 9421, 2.5)"),
    (Slip::BodyAlone, "signs the body alone, and not the signature base"),
];

impl Slip {
    /// What was signed instead of this signature base.
    pub(super) fn signed(self, base: String, label: &str, body: &[u8]) -> String {
        const LAST: &str = "\"@signature-params\": ";
        let cut = base.rfind(LAST);
        match self {
            Self::LineFeed => base + "\n",
            Self::WithoutParameters => base.get(..cut.unwrap_or_default()).unwrap_or_default().trim_end().to_owned(),
            Self::Label => base.replace(LAST, &format!("{LAST}{label}=")),
            Self::CarriageReturns => base.replace('\n', "\r\n"),
            Self::BodyAlone => String::from_utf8_lossy(body).into_owned(),
        }
    }
}

copy_form!(HttpSignature<C> {
    algorithm, signatures, secret_format, origin, label, tag, required, named_by_keyid, window, any_content_type,
    optional_body, lease, slip,
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
        for (slip, does) in SLIPS {
            near.push((format!("the sender {does}"), Self { slip: Some(slip), ..self.copy() }));
        }
        for (cause, signatures) in self.signatures.near_odd() {
            near.push((cause, Self { signatures, ..self.copy() }));
        }
        near
    }
}
