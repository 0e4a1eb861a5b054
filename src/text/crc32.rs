//! CRC-32 as in zip files (ISO-HDLC). It finds mistakes and proves nothing: whoever changes a text can keep it.
//! By hand: a table and one loop, for one sender.

use std::sync::LazyLock;

/// The reflected polynomial.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// What each byte does to the remainder.
static TABLE: LazyLock<[u32; 256]> = LazyLock::new(|| {
    let shift = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ POLYNOMIAL } else { crc >> 1 };
    let mut bytes = 0..=u8::MAX;
    std::array::from_fn(|_| (0..8).fold(bytes.next().unwrap_or_default().into(), shift))
});

pub(crate) fn crc32(text: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        let [lowest, ..] = crc.to_le_bytes();
        // The table has an entry for each byte.
        TABLE.get(usize::from(lowest ^ byte)).copied().unwrap_or_default() ^ crc >> 8
    };
    !text.iter().fold(!0, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_checks() {
        for (text, expected) in [
            (&b""[..], 0),
            // The check value of the catalogue of parametrised CRC algorithms.
            (b"123456789", 0xcbf4_3926),
            (b"The quick brown fox jumps over the lazy dog", 0x414f_a339),
        ] {
            assert_eq!(crc32(text), expected);
        }
    }
}
