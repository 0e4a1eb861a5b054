use serde::Serialize;
use serde_json::{Map, Value};

use super::languages::{Language, Program};
use super::{Kit, check, page};
use crate::VerifyLayer;
use crate::form::Form;
use crate::keys::Secret;
use crate::steps::{PrivateAlgorithm, Run, SecretShape, SignError, Signs};
use crate::text::base64::{encode_base64, encode_base64url_padded};
use crate::text::hex::encode_hex;

impl<F: Signs, C> VerifyLayer<F, C> {
    /// Starts a page for the partner whose requests go to this public address: see [`kit`](crate::kit). The layer's
    /// keys are not read.
    ///
    /// ```
    /// # #[cfg(all(feature = "webhook", feature = "moka"))] {
    /// # let layer = tower_sso::webhook::layer::<serde_json::Value>()
    /// #     .secrets(["a-secret-of-the-sender"])
    /// #     .replay(tower_sso::replay::MemoryReplay::new())
    /// #     .handler_remembers()
    /// #     .build()?;
    /// let kit = layer.kit("https://app.example/hook").claim("company_id", 4321).build()?;
    /// assert!(kit.markdown().contains("Webhook-Signature"));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "kit")))]
    pub fn kit(&self, address: impl Into<String>) -> KitBuilder<'_, F, C> {
        KitBuilder {
            layer: self,
            address: address.into(),
            partner: None,
            tenant: None,
            claims: Map::new(),
            key_pair: None,
            unwritable: None,
        }
    }
}

/// Sets up a page for a partner. Made by [`VerifyLayer::kit`].
///
/// ```
/// use tower_sso::VerifyLayer;
/// use tower_sso::kit::Kit;
/// use tower_sso::sign::{SignError, Signs};
///
/// fn page<F: Signs, C>(layer: &VerifyLayer<F, C>) -> Result<Kit, SignError> {
///     layer.kit("https://app.example/sso").partner("Acme").tenant("acme").build()
/// }
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct KitBuilder<'a, F: Form, C> {
    layer: &'a VerifyLayer<F, C>,
    address: String,
    partner: Option<String>,
    tenant: Option<String>,
    claims: Map<String, Value>,
    /// The private and the public key, in PEM.
    key_pair: Option<(String, Secret)>,
    /// Why a claim is no JSON.
    unwritable: Option<serde_json::Error>,
}

impl<F: Signs, C> KitBuilder<'_, F, C> {
    /// The partner's name, for the title. Default: none.
    pub fn partner(mut self, name: impl Into<String>) -> Self {
        self.partner = Some(name.into());
        self
    }

    /// The partner's tenant, where a request names it. Default: none, and a layer whose requests name a tenant has no
    /// page.
    pub fn tenant(mut self, name: impl Into<String>) -> Self {
        self.tenant = Some(name.into());
        self
    }

    /// A claim of the example, with a made-up value. Name those that your claims type needs. Default: what the layer
    /// itself requires, made up.
    pub fn claim(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(value) => _ = self.claims.insert(name.into(), value),
            Err(error) => self.unwritable = Some(error),
        }
        self
    }

    /// The page's own key pair in PEM (PKCS#8), if partners sign with a private key. Make one for this: **the private
    /// key is printed on the page**. Default: a new pair for Ed25519 and P-256; for RSA and P-384, there is no page
    /// without.
    ///
    /// ```
    /// use tower_sso::kit::{Kit, KitBuilder};
    /// use tower_sso::sign::{SignError, Signs};
    ///
    /// // openssl genpkey -algorithm RSA -out private.pem && openssl pkey -in private.pem -pubout -out public.pem
    /// fn page<F: Signs, C>(kit: KitBuilder<'_, F, C>, private: &str, public: &str) -> Result<Kit, SignError> {
    ///     kit.throwaway_key_pair(private, public).build()
    /// }
    /// ```
    pub fn throwaway_key_pair(mut self, private: impl Into<String>, public: impl Into<Secret>) -> Self {
        self.key_pair = Some((private.into(), public.into()));
        self
    }

    /// The page.
    ///
    /// # Errors
    /// If the layer is set up in a way that cannot be described, a claim cannot be written as JSON, or the address is
    /// not a URL. [`SignError::Refused`] if the layer would refuse the example: most often the claims type needs a
    /// [claim](Self::claim) that was not named, or the address is not the layer's.
    pub fn build(self) -> Result<Kit, SignError> {
        let Self { layer, address, partner, tenant, claims, key_pair, unwritable } = self;
        if let Some(error) = unwritable {
            return Err(SignError::claims(error));
        }
        let steps = layer.steps(&address, tenant.as_deref(), claims, true)?;
        let mut random = [0; 48];
        getrandom::fill(&mut random).map_err(|_| SignError::Key("cannot be made: the system gives no random bytes"))?;
        let (random, nonce) = random.split_at(32);
        let (text, key) = keys(steps.secret, key_pair, random)?;
        let (text, secret) = (&text, Secret::new(text.as_str()));
        let now = layer.settings().clock.now().floor_to_second();
        let nonce = encode_hex(nonce);
        let run = Run { secret: &secret, now, nonce: &nonce };
        let (values, vector) = run.request(&steps)?;
        check::check(layer, &vector, &key, now)?;
        let programs: Vec<Program> = Language::ALL
            .into_iter()
            .filter(|language| language.has(&steps))
            .map(|language| Program { language, source: language.program(&steps, text) })
            .collect();
        let lines = run.lines(&steps, &values)?;
        let vector_of_page = page::Vector { key: text, now, values, lines, is_timed: steps.lifetime.is_some() };
        let document = page::of(layer, (partner.as_deref(), &address), &steps, &vector_of_page, &programs);
        Ok(Kit { document, programs, key, vector })
    }
}

impl<F: Form, C> std::fmt::Debug for KitBuilder<'_, F, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KitBuilder").field("form", &F::NAME).field("address", &self.address).finish_non_exhaustive()
    }
}

/// The secret that signs, and the layer's key.
fn keys(shape: SecretShape, pair: Option<(String, Secret)>, random: &[u8]) -> Result<(String, Secret), SignError> {
    match (shape, pair) {
        (SecretShape::PrivateKey(_), Some(pair)) => Ok(pair),
        (SecretShape::PrivateKey(algorithm), None) => made(algorithm, random),
        (_, Some(_)) => Err(SignError::Unsupported("its partner has no private key: leave `throwaway_key_pair` out")),
        (shape, None) => {
            let text = shape.key(random);
            let key = Secret::new(text.as_str());
            Ok((text, key))
        }
    }
}

#[cfg(feature = "public-key")]
fn made(algorithm: PrivateAlgorithm, random: &[u8]) -> Result<(String, Secret), SignError> {
    let (private, public) = super::pair::made(algorithm, random)?;
    Ok((private, Secret::new(public)))
}

#[cfg(not(feature = "public-key"))]
fn made(_: PrivateAlgorithm, _: &[u8]) -> Result<(String, Secret), SignError> {
    Err(SignError::Unsupported("there are no public keys without the feature `public-key`"))
}

impl SecretShape {
    fn key(self, random: &[u8]) -> String {
        match self {
            // Made as a pair.
            Self::PrivateKey(_) => String::new(),
            Self::Text => format!("test-key-{}", encode_hex(random.get(..16).unwrap_or(random))),
            Self::Credentials => format!("user:test-key-{}", encode_hex(random.get(..16).unwrap_or(random))),
            Self::Base64(prefix) => prefix.to_owned() + &encode_base64(random),
            Self::Fernet => encode_base64url_padded(random),
            Self::Hex => encode_hex(random),
        }
    }
}
