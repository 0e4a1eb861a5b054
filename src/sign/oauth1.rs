use std::fmt::Write;

use http::Method;

use super::SignError;
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::keys::Secret;
use crate::oauth1::base_string::{self, Order};
use crate::oauth1::pairs::Pairs;
use crate::oauth1::{SignatureMethod, base_uri_of, body_hash};
use crate::query::Query;
use crate::text::base64::encode_base64;
use crate::text::hex::encode_hex;
use crate::text::percent::decode_form;
use crate::text::percent::percent_encoded;

/// Signs requests by OAuth 1.0a, like Site Builder's partners and LTI 1.1 platforms.
///
/// ```
/// use tower_sso::sign::OAuthLink;
///
/// let link = OAuthLink::new("https://app.example/widget/", "partner-key", &"partner secret&/".into());
/// let uri = link.uri(&[("email", "john@example.com"), ("partner_user_id", "1")])?;
/// assert!(uri.starts_with("https://app.example/widget/?email=john%40example.com&partner_user_id=1&oauth_"));
/// # Ok::<(), tower_sso::sign::SignError>(())
/// ```
#[derive(Clone, Debug)]
pub struct OAuthLink {
    address: String,
    consumer: String,
    secret: Secret,
    method: Method,
    signature_method: SignatureMethod,
    timestamp: Option<UnixTime>,
    nonce: Option<String>,
    body: Option<Vec<u8>>,
}

impl OAuthLink {
    /// Links to `address`, the public one, signed by this consumer. The address's query, if any, is signed too.
    pub fn new(address: impl Into<String>, consumer: impl Into<String>, secret: &Secret) -> Self {
        Self {
            address: address.into(),
            consumer: consumer.into(),
            secret: secret.clone(),
            method: Method::GET,
            signature_method: SignatureMethod::HmacSha1,
            timestamp: None,
            nonce: None,
            body: None,
        }
    }

    /// The method of the request. Default: GET, and POST for [`form`](Self::form).
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// The signature method. Default: HMAC-SHA1.
    #[must_use]
    pub fn signature_method(mut self, method: SignatureMethod) -> Self {
        self.signature_method = method;
        self
    }

    /// The request's timestamp, in whole seconds. Default: the system's clock.
    #[must_use]
    pub fn issued_at(mut self, time: UnixTime) -> Self {
        self.timestamp = Some(time);
        self
    }

    /// The nonce. Default: a new one for each request.
    #[must_use]
    pub fn nonce(mut self, nonce: impl Into<String>) -> Self {
        self.nonce = Some(nonce.into());
        self
    }

    /// The request's body, if it is not a form: its hash is signed, as `oauth_body_hash` (OAuth Request Body Hash 1.0,
    /// 3.2). Default: none, and no hash. A [`form`](Self::form) is signed itself and has none.
    ///
    /// ```
    /// # use tower_sso::sign::OAuthLink;
    /// let call = OAuthLink::new("https://app.example/scores", "lms", &"secret".into()).method(http::Method::POST);
    /// let header = call.body("<score>0.9</score>").authorization(&[])?;
    /// assert!(header.contains("oauth_body_hash=\"ojqpu26ifunWUH6EEu4dCU1Baj4%3D\""));
    /// # Ok::<(), tower_sso::sign::SignError>(())
    /// ```
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// A link with these parameters and, after them, the protocol's own. A protocol parameter given here replaces the
    /// default one.
    ///
    /// # Errors
    /// If the address is not a valid absolute URL.
    pub fn uri(&self, parameters: &[(&str, &str)]) -> Result<String, SignError> {
        let signed = self.sign(&self.method, parameters, &[], self.body.as_deref())?;
        let separator = if self.address.contains('?') { '&' } else { '?' };
        Ok(format!("{}{separator}{}", self.address, form(parameters.iter().copied().chain(pairs(&signed)))))
    }

    /// The body of a POST to the address, of type `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// If the address is not a valid absolute URL.
    pub fn form(&self, parameters: &[(&str, &str)]) -> Result<String, SignError> {
        let signed = self.sign(&Method::POST, parameters, &[], None)?;
        Ok(form(parameters.iter().copied().chain(pairs(&signed))))
    }

    /// The value of the `Authorization` header for a request to the address. `form` is the content of its body, if that
    /// is a form.
    ///
    /// # Errors
    /// If the address is not a valid absolute URL.
    pub fn authorization(&self, form: &[(&str, &str)]) -> Result<String, SignError> {
        let body = self.body.as_deref().filter(|_| form.is_empty());
        let signed = self.sign(&self.method, &[], form, body)?;
        let mut header = String::from("OAuth realm=\"\"");
        for (name, value) in pairs(&signed) {
            _ = write!(header, ", {}=\"{}\"", percent_encoded(name), percent_encoded(value));
        }
        Ok(header)
    }

    /// The protocol parameters that the caller did not give, including the signature.
    fn sign(
        &self,
        method: &Method,
        given: &[(&str, &str)],
        elsewhere: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Vec<(&'static str, String)>, SignError> {
        const NOT_ONE: SignError = SignError::Address("is not one such as https://app.example/widget/");
        let base_uri = base_uri_of(&self.address).ok_or(NOT_ONE)?;
        let in_address = self.address.split_once('?').map_or("", |(_, query)| query);
        let in_address = Query::new(in_address).pairs().map(|(name, value)| {
            let decode = |text| decode_form(text).map_err(|_| NOT_ONE);
            Ok((decode(name)?, decode(value)?))
        });
        let in_address: Vec<_> = in_address.collect::<Result<_, SignError>>()?;
        let in_address = in_address.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));

        let time = self.timestamp.unwrap_or_else(|| SystemClock.now());
        let nonce = self.nonce.clone().unwrap_or_else(new_nonce);
        let mut protocol = vec![
            ("oauth_consumer_key", self.consumer.clone()),
            ("oauth_nonce", nonce),
            ("oauth_signature_method", self.signature_method.as_str().to_owned()),
            ("oauth_timestamp", time.as_secs().to_string()),
            ("oauth_version", "1.0".to_owned()),
        ];
        protocol.extend(body.map(|body| ("oauth_body_hash", encode_base64(&body_hash(self.signature_method, body)))));
        protocol.retain(|(name, _)| !given.iter().any(|(other, _)| other == name));
        let all = in_address.chain(given.iter().copied()).chain(elsewhere.iter().copied()).chain(pairs(&protocol));
        let mut signed = Pairs::default();
        for (name, value) in all {
            signed.push(name, value).map_err(|_| NOT_ONE)?;
        }
        let base_string =
            base_string::build(method.as_str(), (&percent_encoded(&base_uri), ""), &signed, |_| false, Order::Bytes);
        let key = base_string::key(self.secret.expose());
        let signature = self.signature_method.digest().sign(&key, &[&base_string.text]);
        protocol.push(("oauth_signature", encode_base64(&signature)));
        Ok(protocol)
    }
}

fn pairs<'a>(pairs: &'a [(&'static str, String)]) -> impl Iterator<Item = (&'a str, &'a str)> {
    pairs.iter().map(|(name, value)| (*name, value.as_str()))
}

fn form<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let pairs: Vec<_> =
        pairs.map(|(name, value)| format!("{}={}", percent_encoded(name), percent_encoded(value))).collect();
    pairs.join("&")
}

/// Unique; a nonce need not be more (RFC 5849, 3.3).
fn new_nonce() -> String {
    encode_hex(&crate::mac::random_key())
}
