//! Unicode's normal forms (UAX 15). Names of files and text fields on some systems are decomposed; most else is not.

use unicode_normalization::UnicodeNormalization;

/// NFC: `é` is one character.
pub(super) fn composed(text: &str) -> String {
    text.nfc().collect()
}

/// NFD: `é` is `e`, and an accent.
pub(super) fn decomposed(text: &str) -> String {
    text.nfd().collect()
}
