//! Keys, signatures and times as forms' settings describe them.

#[cfg(any(feature = "sealed", feature = "signed-parameters", feature = "signed-payload"))]
mod times {
    use std::time::Duration;

    use crate::scheme::SignedTime;
    use crate::steps::{Draft, Expr, Lifetime, SignError, Wanted, words};
    use crate::window::Window;

    impl SignedTime {
        /// The member that holds the time, with its value and what it is; none if it is given or not wanted.
        pub(crate) fn member_of(
            &self,
            draft: &mut Draft,
            wanted: &Wanted<'_>,
        ) -> Result<Option<(String, Expr, String)>, SignError> {
            Ok(match self {
                Self::Stamped(_) => {
                    return Err(SignError::Unsupported("its framework writes the time in a way of its own"));
                }
                _ if self.member().is_some_and(|name| wanted.claims().contains_key(&**name)) => None,
                Self::Unset | Self::Without => None,
                Self::IssuedAt { member, format, .. } => {
                    let now = draft.step("now", Expr::Time(*format, 0));
                    Some((member.to_string(), now, words::time(*format).to_owned()))
                }
                Self::ExpiresAt { member, format, longest } => {
                    let (lifetime, longest) = (lifetime(*longest).as_secs(), longest.as_secs());
                    let expires = draft.step("expires", Expr::Time(*format, lifetime));
                    Some((member.to_string(), expires, format!("when it ends: at most {longest} s after it was made")))
                }
            })
        }

        /// How long a request is taken.
        pub(crate) fn lifetime(&self, window: &Window) -> Option<Lifetime> {
            match self {
                Self::Unset | Self::Without => None,
                Self::IssuedAt { .. } | Self::Stamped(_) => Some(Lifetime::Window(*window)),
                Self::ExpiresAt { .. } => Some(Lifetime::Stated(window.clock_skew)),
            }
        }
    }

    /// How long an example lives.
    fn lifetime(longest: Duration) -> Duration {
        longest.min(Duration::from_secs(300))
    }
}

#[cfg(any(feature = "signed-parameters", feature = "signed-payload", feature = "webhook"))]
mod private {
    use crate::scheme::KeyKind;
    use crate::steps::PrivateAlgorithm;

    impl KeyKind {
        /// With what a partner signs, if that is a private key.
        #[cfg_attr(not(feature = "public-key"), allow(clippy::unused_self, reason = "there is no private key"))]
        pub(crate) fn private(self) -> Option<PrivateAlgorithm> {
            #[cfg(feature = "public-key")]
            return self.algorithm().map(PrivateAlgorithm::from);
            #[cfg(not(feature = "public-key"))]
            None
        }
    }
}

#[cfg(any(feature = "signed-parameters", feature = "signed-payload"))]
mod keys {
    use crate::scheme::{DerivationKind, KeyDerivation, SecretFormat, Signature};
    use crate::steps::{Draft, Expr, Kind, SecretShape, SignError, key};

    impl Signature {
        /// The key that a partner signs with.
        pub(crate) fn key(&self, draft: &mut Draft) -> Result<Expr, SignError> {
            let secret = match (self.secret_format, self.derivation == KeyDerivation::default()) {
                (format, true) => return Ok(key(format, draft)),
                (SecretFormat::Bytes | SecretFormat::Text, false) => Expr::Secret,
                (SecretFormat::Base64 { prefix }, false) => Expr::FromBase64(prefix, Box::new(Expr::Secret)),
                (SecretFormat::Hex, false) => Expr::FromHex(Box::new(Expr::Secret)),
            };
            Ok(draft.step("key", derived(self.derivation, secret)?))
        }

        /// The MAC of a text, as it is written.
        pub(crate) fn written(&self, key: Expr, text: Expr) -> Expr {
            Expr::signature(self.key_kind.private(), self.digest, key, text).encoded(self.encoding)
        }

        /// What a partner's secret looks like.
        pub(crate) fn secret_shape(&self) -> SecretShape {
            SecretShape::either(self.key_kind.private(), self.secret_format)
        }
    }

    fn derived(derivation: KeyDerivation, secret: Expr) -> Result<Expr, SignError> {
        match derivation.0 {
            DerivationKind::Itself => Ok(secret),
            DerivationKind::Digest { digest, before: "" } => Ok(Expr::Hash(digest, Box::new(secret))),
            DerivationKind::Digest { digest, before } if secret.kind() == Kind::Text => {
                Ok(Expr::Hash(digest, Box::new(Expr::concat([Expr::text(before), secret]))))
            }
            DerivationKind::Digest { .. } => Err(SignError::Unsupported("its key is made of a text and of bytes")),
            DerivationKind::Hmac { digest, key } => Ok(Expr::hmac(digest, Expr::text(key), secret)),
        }
    }
}
