//! What a partner may do otherwise than this layer expects.

use super::{PayloadEncoding, SignedPayload};
use crate::near_miss::copy_form;
use crate::text::percent::percent_encoded;

const ENCODINGS: [(PayloadEncoding, &str); 4] = [
    (PayloadEncoding::Base64Url, "base64url"),
    (PayloadEncoding::Base64, "base64"),
    (PayloadEncoding::Base64Lines, "base64 in lines"),
    (PayloadEncoding::Text, "text that is not encoded"),
];

/// What else a partner may sign, while that is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slip {
    Escaped,
    LineFeed,
    /// Of so many characters.
    Lines(usize),
}

const SLIPS: [(Slip, &str); 4] = [
    (Slip::Escaped, "signs the payload after it was percent-encoded for the URL: it is encoded after it is signed"),
    (Slip::LineFeed, "signs the payload with a line feed behind it, and sends it without"),
    (
        Slip::Lines(60),
        "signs the payload in lines of 60 characters, as Ruby's `Base64.encode64` writes it, and sends it without line feeds",
    ),
    (
        Slip::Lines(76),
        "signs the payload in lines of 76 characters, as Python's `base64.encodebytes` writes it, and sends it without line feeds",
    ),
];

impl Slip {
    /// What is signed instead.
    pub(super) fn covered(self, text: &str) -> String {
        match self {
            Self::Escaped => percent_encoded(text),
            Self::LineFeed => format!("{text}\n"),
            Self::Lines(length) => {
                let mut lines = String::with_capacity(text.len() + text.len() / length + 1);
                for (at, character) in text.chars().enumerate() {
                    if at > 0 && at.is_multiple_of(length) {
                        lines.push('\n');
                    }
                    lines.push(character);
                }
                lines.push('\n');
                lines
            }
        }
    }
}

copy_form!(SignedPayload<C> {
    layout, encoding, content, signature, signs_decoded, slip, time, window, usage, forgetting_is_fine, nonce, tenant,
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
        let slips = SLIPS.into_iter();
        near.extend(
            slips.map(|(slip, does)| (format!("the partner {does}"), Self { slip: Some(slip), ..self.copy() })),
        );
        near.push(("payload and signature are in each other's place".into(), turned));
        near
    }
}
