//! Settings of the token itself: where it is, how it is written and signed, how often it may come.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use super::super::{Algorithm, Jwt};
use crate::Builder;
use crate::form::Usage;
use crate::scheme::{Place, Places, SecretFormat};

impl<C, D> Builder<Jwt<C>, D>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    /// Where the token is. Default: the query parameter `sso_jwt`.
    ///
    /// The inner service gets the request without it, except in a body: a body stays as it came, since its length and
    /// digests cover it. A token in a form or JSON body makes the layer read the body, up to the
    /// [limit](Self::body_limit).
    ///
    /// ```
    /// use tower_sso::{jwt, scheme::Place};
    ///
    /// let layer = jwt::layer::<serde_json::Value>(jwt::Algorithm::HS256).token_in(Place::form("jwt"));
    /// ```
    pub fn token_in(mut self, place: Place) -> Self {
        self.form.places = Places::one(place);
        self
    }

    /// Another place where the token may be instead. A request with tokens in two places is `malformed`.
    ///
    /// ```
    /// use tower_sso::{jwt, scheme::Place};
    ///
    /// let layer = jwt::layer::<serde_json::Value>(jwt::Algorithm::HS256)
    ///     .token_in(Place::bearer())
    ///     .or_in(Place::query("id_token"));
    /// ```
    pub fn or_in(mut self, place: Place) -> Self {
        self.form.places.add(place);
        self
    }

    /// The query parameter that holds the token: [`token_in`](Self::token_in) for a query. Default: `sso_jwt`.
    pub fn token_parameter(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.token_in(Place::query(name))
    }

    /// The longest token in characters, inclusive; a longer one is `malformed`. Default: 8,192.
    pub fn max_token_length(mut self, characters: usize) -> Self {
        self.form.longest = characters;
        self
    }

    /// Accepts padding at the end of the token's parts, which JWTs must not have (RFC 7515, 2) and some senders write,
    /// such as the load balancers of AWS. Default: padding is `malformed`.
    pub fn padded(mut self) -> Self {
        self.form.padded = true;
        self
    }

    /// The accepted algorithms, instead of the one given. All must take one kind of key: HMAC; RSA; P-256; P-384;
    /// Ed25519. The token's header says which of them it is. Default: the one given to [`layer`](crate::jwt::layer).
    ///
    /// ```
    /// use tower_sso::jwt::{self, Algorithm};
    ///
    /// let layer = jwt::layer::<serde_json::Value>(Algorithm::HS256).algorithms([Algorithm::HS256, Algorithm::HS512]);
    /// ```
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.form.verifier.set_algorithms(algorithms);
        self
    }

    /// How the partner's page shows the secret of HS256, HS384 or HS512. Default: its bytes are the key.
    ///
    /// ```
    /// use tower_sso::{jwt, scheme::SecretFormat};
    ///
    /// let layer = jwt::layer::<serde_json::Value>(jwt::Algorithm::HS256)
    ///     .secret_format(SecretFormat::Base64 { prefix: "" });
    /// ```
    pub fn secret_format(mut self, format: SecretFormat) -> Self {
        self.form.verifier.set_secret_format(format);
        self
    }

    /// Recognises a token by its `jti` (RFC 7519, 4.1.7), which is then required: two tokens of one key's owner with
    /// one `jti` are one sign-in. Keys given as [`secrets`](Self::secrets) have no owner: two layers on one store need
    /// a [`namespace`](Self::namespace) each, or one sender's ids use up the other's. Default: by its signature, or by
    /// what was signed.
    pub fn replay_by_id(mut self) -> Self {
        self.form.by_id = true;
        self
    }

    /// Lets a token pass as often as it comes until it expires, without a replay store: for session tokens, which come
    /// with every call. **A stolen token works until it expires.** Keep its lifetime short, and change nothing on a
    /// request that a browser sends by itself, such as one with a cookie.
    pub fn danger_reusable(mut self) -> Self {
        self.form.usage = Usage::Reusable;
        self
    }
}
