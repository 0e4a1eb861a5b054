//! A nonce that one browser was given, and that a partner's answer must bring back: [`Challenge`].
//!
//! When your app sends a browser to a partner and the partner's answer signs it in, the answer must be for the same
//! browser. Otherwise an attacker can log a victim into the attacker's account, by a link with the attacker's own
//! answer (login CSRF).
//!
//! ```
//! use http::{HeaderMap, HeaderValue};
//! use tower_sso::challenge::Challenge;
//!
//! let challenge = Challenge::new("__Host-sso");
//! // Where the login begins: the nonce goes to the partner, the cookie to the browser.
//! let issued = challenge.issue(&HeaderMap::new())?;
//! let location = format!("https://forum.example/session/sso_provider?nonce={}", issued.nonce());
//! let set_cookie: &HeaderValue = issued.set_cookie();
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Rules
//! 1. The cookie is 256 random bits, the same for all logins that the browser has begun, so that two tabs do not
//!    disturb each other.
//! 2. A nonce is a time, 128 random bits, and their HMAC-SHA256 under the cookie's bits. So only this app, or the
//!    browser itself, can have made it; nothing is stored until it comes back.
//! 3. A nonce works once: the replay store remembers it until its time is over.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request};
use subtle::ConstantTimeEq;

use crate::ConfigProblem;
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::debug::opaque_debug;
use crate::mac::Digest;
use crate::rejection::Reason;
use crate::scheme::Place;
use crate::text::base64::{BASE64URL, decode_base64url_into};

const BINDING: usize = 32;
const TIME: usize = 8;
const SALT: usize = 16;
const SIGNED: usize = TIME + SALT;
const NONCE: usize = SIGNED + 32;

/// What a browser's nonces are made with: the bits in its cookie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Binding([u8; BINDING]);

impl Binding {
    /// When a nonce was made, if it was made for this browser.
    pub(crate) fn made_at(&self, nonce: &str) -> Option<UnixTime> {
        let mut bytes = [0; NONCE];
        decode_base64url_into(nonce.as_bytes(), &mut bytes)?;
        let (signed, mac) = bytes.split_at(SIGNED);
        let expected = Digest::Sha256.mac(&self.0, [signed]);
        let time: [u8; TIME] = signed.get(..TIME)?.try_into().ok()?;
        bool::from(expected[..].ct_eq(mac)).then(|| UnixTime::from_secs(u64::from_be_bytes(time)))
    }
}

opaque_debug!(Binding);

/// Makes nonces for browsers, and recognises them.
///
/// ```
/// use tower_sso::challenge::Challenge;
///
/// let challenge = Challenge::new("__Host-sso");
/// let other_tab = challenge.clone();
/// ```
#[derive(Clone)]
pub struct Challenge {
    cookie: Cow<'static, str>,
    same_site: &'static str,
    clock: Arc<dyn Clock>,
}

/// A nonce, and the cookie that binds it to the browser. Made by [`Challenge::issue`].
///
/// ```
/// use tower_sso::challenge::Challenge;
///
/// let issued = Challenge::new("__Host-sso").issue(&http::HeaderMap::new())?;
/// assert_eq!(issued.nonce().len(), 75);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Issued {
    nonce: String,
    set_cookie: HeaderValue,
}

impl Issued {
    /// The nonce: 75 characters of base64url. Send it to the partner.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// The value of a `Set-Cookie` header of the answer that sends the browser away.
    pub fn set_cookie(&self) -> &HeaderValue {
        &self.set_cookie
    }
}

impl Challenge {
    /// Challenges by the cookie of this name. It must begin with `__Host-`, so that no other host can set it: a layer
    /// with another name does not build.
    pub fn new(cookie: impl Into<Cow<'static, str>>) -> Self {
        Self { cookie: cookie.into(), same_site: "Lax", clock: Arc::new(SystemClock) }
    }

    /// The cookie comes along with a form that the partner's page posts (`SameSite=None`). Default: only with links and
    /// redirects (`SameSite=Lax`).
    #[must_use]
    pub fn for_form_posts(self) -> Self {
        Self { same_site: "None", ..self }
    }

    /// The clock of the nonces. For tests: [`ManualClock`](crate::clock::ManualClock).
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// A nonce for the browser that sent a request with these headers.
    ///
    /// # Errors
    /// The operating system has no random numbers.
    pub fn issue(&self, headers: &HeaderMap) -> Result<Issued, std::io::Error> {
        let mut random = [0; BINDING + SALT];
        getrandom::fill(&mut random).map_err(std::io::Error::other)?;
        let (fresh, salt) = random.split_at(BINDING);
        let known = self.binding_in(headers);
        let binding = known.as_ref().map_or(fresh, |Binding(bits)| bits);
        let time = self.clock.now().as_secs();
        let mut nonce = Vec::with_capacity(NONCE);
        nonce.extend_from_slice(&time.to_be_bytes());
        nonce.extend_from_slice(salt);
        let mac = Digest::Sha256.mac(binding, [nonce.as_slice()]);
        nonce.extend_from_slice(&mac);
        let (name, same_site, binding) = (&self.cookie, self.same_site, BASE64URL.encode(binding));
        // Longer than a nonce is valid by default; a login that takes longer has to begin again.
        let cookie = format!("{name}={binding}; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite={same_site}");
        let mut set_cookie = HeaderValue::try_from(cookie).map_err(std::io::Error::other)?;
        set_cookie.set_sensitive(true);
        Ok(Issued { nonce: BASE64URL.encode(nonce), set_cookie })
    }

    /// The cookie's bits, if the browser has it.
    fn binding_in(&self, headers: &HeaderMap) -> Option<Binding> {
        let (mut head, ()) = Request::new(()).into_parts();
        head.headers = headers.clone();
        self.binding(&head).ok().flatten()
    }

    /// The cookie's bits in a request.
    pub(crate) fn binding(&self, head: &Parts) -> Result<Option<Binding>, Reason> {
        let Some(cookie) = Place::cookie(self.cookie.clone()).find(head, &[])? else { return Ok(None) };
        let mut binding = [0; BINDING];
        let is_ours = decode_base64url_into(cookie.as_bytes(), &mut binding).is_some();
        Ok(is_ours.then_some(Binding(binding)))
    }

    pub(crate) fn check(&self) -> Result<(), ConfigProblem> {
        if !self.cookie.starts_with("__Host-") {
            return Err(ConfigProblem::setting(
                "challenge",
                "has a cookie that another host of the domain could set: begin its name with `__Host-`",
            ));
        }
        Place::cookie(self.cookie.clone()).check("challenge")
    }
}

opaque_debug!(Challenge { cookie });
opaque_debug!(Issued);

#[cfg(test)]
mod tests {
    use http::header::COOKIE;

    use super::*;
    use crate::clock::ManualClock;

    fn cookie_of(issued: &Issued) -> HeaderMap {
        let cookie = issued.set_cookie().to_str().unwrap().split(';').next().unwrap().to_owned();
        HeaderMap::from_iter([(COOKIE, HeaderValue::try_from(cookie).unwrap())])
    }

    #[test]
    fn a_nonce_is_known_by_its_browser_alone() {
        let now = UnixTime::from_secs(1_700_000_000);
        let challenge = Challenge::new("__Host-sso").clock(ManualClock::at(now));
        let one = challenge.issue(&HeaderMap::new()).unwrap();
        let browser = cookie_of(&one);
        let other_tab = challenge.issue(&browser).unwrap();
        let binding = challenge.binding_in(&browser).unwrap();
        assert_ne!(one.nonce(), other_tab.nonce());
        assert_eq!(challenge.binding_in(&cookie_of(&other_tab)), Some(binding), "the cookie stays");
        for nonce in [one.nonce(), other_tab.nonce()] {
            assert_eq!(binding.made_at(nonce), Some(now));
        }
        let stranger = challenge.binding_in(&cookie_of(&challenge.issue(&HeaderMap::new()).unwrap())).unwrap();
        assert_eq!(stranger.made_at(one.nonce()), None);
        assert_eq!(binding.made_at("cb68251eefb5211e58c00ff1395f0c0b"), None);
        // Another time, and one character more.
        assert_eq!(binding.made_at(&one.nonce().replacen("AAAAAGVT", "AAAAAGVU", 1)), None);
        assert_eq!(binding.made_at(&format!("{}A", one.nonce())), None);
    }

    #[test]
    fn other_hosts_cannot_set_the_cookie() {
        assert!(Challenge::new("sso").check().is_err());
        assert!(Challenge::new("__Host-s;o").check().is_err());
        assert!(Challenge::new("__Host-sso").check().is_ok());
    }
}
