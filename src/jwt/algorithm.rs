use crate::mac::Digest;

/// The algorithm of a token's signature (RFC 7518, 3.1; RFC 8037, 3.1). A layer accepts one, or several of one kind of
/// key where its [`algorithms`](crate::Builder::algorithms) say so.
///
/// HS256, HS384 and HS512 need a shared secret. The others, behind the feature `jwt-public-key`, need the partner's
/// public key in PEM.
///
/// ```
/// use tower_sso::jwt::Algorithm;
///
/// assert_eq!(Algorithm::HS512.name(), "HS512");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256.
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[cfg(feature = "jwt-public-key")]
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    #[cfg(feature = "jwt-public-key")]
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    #[cfg(feature = "jwt-public-key")]
    RS512,
    /// RSASSA-PSS with SHA-256.
    #[cfg(feature = "jwt-public-key")]
    PS256,
    /// RSASSA-PSS with SHA-384.
    #[cfg(feature = "jwt-public-key")]
    PS384,
    /// RSASSA-PSS with SHA-512.
    #[cfg(feature = "jwt-public-key")]
    PS512,
    /// ECDSA on P-256 with SHA-256.
    #[cfg(feature = "jwt-public-key")]
    ES256,
    /// ECDSA on P-384 with SHA-384.
    #[cfg(feature = "jwt-public-key")]
    ES384,
    /// Ed25519.
    #[cfg(feature = "jwt-public-key")]
    EdDSA,
}

/// The verifier of a signature.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Mac(Digest),
    #[cfg(feature = "jwt-public-key")]
    PublicKey(crate::scheme::public_key::Scheme),
}

impl Algorithm {
    /// Its name in a token's header, such as `HS512`.
    pub fn name(self) -> &'static str {
        match self {
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
            #[cfg(feature = "jwt-public-key")]
            Self::RS256 => "RS256",
            #[cfg(feature = "jwt-public-key")]
            Self::RS384 => "RS384",
            #[cfg(feature = "jwt-public-key")]
            Self::RS512 => "RS512",
            #[cfg(feature = "jwt-public-key")]
            Self::PS256 => "PS256",
            #[cfg(feature = "jwt-public-key")]
            Self::PS384 => "PS384",
            #[cfg(feature = "jwt-public-key")]
            Self::PS512 => "PS512",
            #[cfg(feature = "jwt-public-key")]
            Self::ES256 => "ES256",
            #[cfg(feature = "jwt-public-key")]
            Self::ES384 => "ES384",
            #[cfg(feature = "jwt-public-key")]
            Self::EdDSA => "EdDSA",
        }
    }

    /// The algorithm of this name, case-sensitive; `None` if the enabled features do not have it.
    ///
    /// ```
    /// use tower_sso::jwt::Algorithm;
    ///
    /// assert_eq!(Algorithm::named("HS512"), Some(Algorithm::HS512));
    /// assert_eq!(Algorithm::named("hs512"), None);
    /// ```
    pub fn named(name: &str) -> Option<Self> {
        let all = [
            Self::HS256,
            Self::HS384,
            Self::HS512,
            #[cfg(feature = "jwt-public-key")]
            Self::RS256,
            #[cfg(feature = "jwt-public-key")]
            Self::RS384,
            #[cfg(feature = "jwt-public-key")]
            Self::RS512,
            #[cfg(feature = "jwt-public-key")]
            Self::PS256,
            #[cfg(feature = "jwt-public-key")]
            Self::PS384,
            #[cfg(feature = "jwt-public-key")]
            Self::PS512,
            #[cfg(feature = "jwt-public-key")]
            Self::ES256,
            #[cfg(feature = "jwt-public-key")]
            Self::ES384,
            #[cfg(feature = "jwt-public-key")]
            Self::EdDSA,
        ];
        all.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Whether both take the same kind of key, so that a layer may accept both.
    pub(super) fn shares_keys_with(self, other: Self) -> bool {
        match (self.kind(), other.kind()) {
            (Kind::Mac(_), Kind::Mac(_)) => true,
            #[cfg(feature = "jwt-public-key")]
            (Kind::PublicKey(one), Kind::PublicKey(other)) => one.shares_keys_with(other),
            #[cfg(feature = "jwt-public-key")]
            _ => false,
        }
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::HS256 => Kind::Mac(Digest::Sha256),
            Self::HS384 => Kind::Mac(Digest::Sha384),
            Self::HS512 => Kind::Mac(Digest::Sha512),
            #[cfg(feature = "jwt-public-key")]
            other => Kind::PublicKey(crate::scheme::public_key::Scheme::of(other.library())),
        }
    }

    /// The library's name for it.
    #[cfg(feature = "jwt-public-key")]
    pub(crate) fn library(self) -> jsonwebtoken::Algorithm {
        use jsonwebtoken::Algorithm as Library;
        match self {
            Self::HS256 => Library::HS256,
            Self::HS384 => Library::HS384,
            Self::HS512 => Library::HS512,
            Self::RS256 => Library::RS256,
            Self::RS384 => Library::RS384,
            Self::RS512 => Library::RS512,
            Self::PS256 => Library::PS256,
            Self::PS384 => Library::PS384,
            Self::PS512 => Library::PS512,
            Self::ES256 => Library::ES256,
            Self::ES384 => Library::ES384,
            Self::EdDSA => Library::EdDSA,
        }
    }
}
