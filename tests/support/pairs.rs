//! Key pairs of senders, made for these tests.

use tower_sso::keys::Secret;

/// A key pair in PEM. The private half is read when a test runs, as private keys are not in the published package.
#[derive(Clone, Copy)]
pub struct Pair {
    pub public: &'static str,
    private: &'static str,
}

impl Pair {
    pub fn private(self) -> Secret {
        let path = format!("{}/tests/vectors/keys/{}", env!("CARGO_MANIFEST_DIR"), self.private);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}")).into()
    }
}

macro_rules! pair {
    ($name:literal) => {
        Pair {
            public: include_str!(concat!("../vectors/keys/", $name, "-public.pem")),
            private: concat!($name, "-private.pem"),
        }
    };
}

pub const ED25519: [Pair; 2] = [pair!("ed25519-one"), pair!("ed25519-two")];
pub const P256: [Pair; 2] = [pair!("p256-one"), pair!("p256-two")];
pub const P384: [Pair; 2] = [pair!("p384-one"), pair!("p384-two")];
pub const RSA: [Pair; 2] = [pair!("rsa-2048"), pair!("rsa-2048-second")];
