use bytes::Bytes;
use http::{HeaderValue, Method, Request};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::VerifyLayer;
use crate::clock::UnixTime;
use crate::form::Form;
use crate::keys::Secret;
use crate::query::Query;
use crate::steps::{Run, SignError, Signs, Steps, Values, Wanted};
use crate::text::hex::encode_hex;

/// Signs requests for a layer, as its partner does. Made by [`VerifyLayer::signer`].
///
/// ```
/// # #[cfg(all(feature = "webhook", feature = "moka"))] {
/// use tower_sso::{replay::MemoryReplay, webhook};
///
/// let layer = webhook::layer::<serde_json::Value>()
///     .signature_header(http::HeaderName::from_static("x-signature"))
///     .secrets(["a-secret-of-the-sender"])
///     .replay(MemoryReplay::new())
///     .handler_remembers()
///     .build()?;
/// let signer = layer.signer(&"a-secret-of-the-sender".into());
/// let call = signer.request("https://app.example/hook", &serde_json::json!({"company_id": 4321}))?;
/// assert_eq!(call.headers()["x-signature"].len(), 64);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Signer<'a, F: Form, C> {
    layer: &'a VerifyLayer<F, C>,
    secret: Secret,
    tenant: Option<String>,
    time: Option<UnixTime>,
    nonce: Option<String>,
}

impl<F: Signs, C> VerifyLayer<F, C> {
    /// Signs requests for this layer with a secret, as a partner does. Every name, the algorithm and the encodings come
    /// from the layer's settings, and the time from its clock. The layer's own keys are not read.
    ///
    /// ```
    /// # #[cfg(all(feature = "timestamp-hash", feature = "moka"))] {
    /// use tower_sso::replay::MemoryReplay;
    /// use tower_sso::timestamp_hash::{self, Digest, Recipe};
    ///
    /// let recipe = Recipe::hmac(Digest::Sha256, ["timestamp", "email"], "|");
    /// let layer = timestamp_hash::layer::<serde_json::Value>(recipe)
    ///     .secrets(["a-secret-of-the-partner"])
    ///     .replay(MemoryReplay::new())
    ///     .build()?;
    /// let signer = layer.signer(&"a-secret-of-the-partner".into());
    /// let request = signer.request("https://app.example/sso", &serde_json::json!({"email": "ada@example.com"}))?;
    /// assert!(request.uri().query().unwrap().contains("email=ada%40example.com&hash="));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "sign")))]
    pub fn signer(&self, secret: &Secret) -> Signer<'_, F, C> {
        Signer::new(self, secret)
    }

    /// The steps to a request that says `claims`. With `examples`, claims that are missing are made up.
    pub(crate) fn steps(
        &self,
        address: &str,
        tenant: Option<&str>,
        claims: Map<String, Value>,
        examples: bool,
    ) -> Result<Steps, SignError> {
        let query = address.split_once('?').map_or("", |(_, query)| query);
        let is_named = |name: &&str| Query::new(query).pairs().any(|(other, _)| other == *name);
        let tenant_parameter = self.settings().tenant.parameter().map(AsRef::as_ref).filter(|name| !is_named(name));
        if tenant_parameter.is_some() && tenant.is_none() {
            return Err(SignError::NO_TENANT);
        }
        let method = self.settings().methods.first().cloned().unwrap_or(Method::GET);
        self.form().signing(&Wanted { address, method, tenant, tenant_parameter, claims, examples })
    }
}

impl<'a, F: Signs, C> Signer<'a, F, C> {
    pub(crate) fn new(layer: &'a VerifyLayer<F, C>, secret: &Secret) -> Self {
        Self { layer, secret: secret.clone(), tenant: None, time: None, nonce: None }
    }

    /// Whose request it is, where the request names the tenant in a parameter or as its consumer. Default: none.
    #[must_use]
    pub fn tenant(mut self, name: impl Into<String>) -> Self {
        self.tenant = Some(name.into());
        self
    }

    /// When it is signed. Default: now, by the layer's clock.
    #[must_use]
    pub fn issued_at(mut self, time: UnixTime) -> Self {
        self.time = Some(time);
        self
    }

    /// The nonce or the delivery's id, where the form has one. Default: a new one for each request.
    #[must_use]
    pub fn nonce(mut self, nonce: impl Into<String>) -> Self {
        self.nonce = Some(nonce.into());
        self
    }

    /// A signed request to this public address with these claims, an object. A claim that the form sets itself, such as
    /// a timestamp, is taken as it is given here.
    ///
    /// # Errors
    /// If the form's requests cannot be described, the claims or the tenant lack something, or the secret is of another
    /// format than the layer's.
    pub fn request(&self, address: &str, claims: &impl Serialize) -> Result<Request<Bytes>, SignError> {
        let Value::Object(claims) = serde_json::to_value(claims).map_err(SignError::claims)? else {
            return Err(SignError::Unsupported("the claims are not an object"));
        };
        let steps = self.layer.steps(address, self.tenant.as_deref(), claims, false)?;
        let nonce = self.nonce.clone().unwrap_or_else(|| encode_hex(&crate::mac::random_key()));
        let now = self.time.unwrap_or_else(|| self.layer.settings().clock.now());
        Run { secret: &self.secret, now, nonce: &nonce }.request(&steps).map(|(_, request)| request)
    }
}

impl Run<'_> {
    /// Carries the steps out.
    pub(crate) fn request(&self, steps: &Steps) -> Result<(Values, Request<Bytes>), SignError> {
        const NOT_ONE: SignError = SignError::Address("is not one such as https://app.example/sso");
        let values = self.values(&steps.steps)?;
        let description = &steps.request;
        let mut request = Request::builder().method(&description.method).uri(self.text(&description.uri(), &values)?);
        for (name, value) in &description.headers {
            let value = HeaderValue::try_from(self.text(value, &values)?);
            request =
                request.header(name, value.map_err(|_| SignError::Key("has characters that no header can have"))?);
        }
        let mut body = Bytes::new();
        if let Some((text, content_type)) = description.content() {
            request = request.header(http::header::CONTENT_TYPE, content_type.as_ref());
            body = self.text(&text, &values)?.into();
        }
        Ok((values, request.body(body).map_err(|_| NOT_ONE)?))
    }
}

impl<F: Form, C> std::fmt::Debug for Signer<'_, F, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("form", &F::NAME).field("tenant", &self.tenant).finish_non_exhaustive()
    }
}
