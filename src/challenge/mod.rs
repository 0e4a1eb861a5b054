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
//! 3. A nonce is valid for [ten minutes](Challenge::max_age) and works once: the replay store remembers it until its
//!    time is over, also if the partner answers it twice.
//! 4. A nonce is of use at the partner for which it was made: **give each partner a `Challenge` with a
//!    [name](Challenge::for_partner)**, or with a cookie of its own. Otherwise one partner could ask another one with
//!    the nonce that it was given, and send on the answer. A layer of several tenants takes a nonce from any of them:
//!    give tenants that could do so a layer each.
//!
//! Which forms take one back: [`jwt`](crate::jwt), [`signed_parameters`](crate::signed_parameters) and
//! [`signed_payload`](crate::signed_payload), by [`nonce_member`](crate::Builder::nonce_member).

mod returned;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

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

pub(crate) use returned::ReturnedNonce;

const BINDING: usize = 32;
const TIME: usize = 8;
const SALT: usize = 16;
const SIGNED: usize = TIME + SALT;
const NONCE: usize = SIGNED + 32;

/// How long the cookie lives. Each nonce renews it.
const COOKIE_LIVES: Duration = Duration::from_secs(3_600);

/// What a browser's nonces are made with: the bits in its cookie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Binding([u8; BINDING]);

impl Binding {
    /// When a nonce was made, if it was made for this browser and this partner.
    pub(crate) fn made_at(&self, nonce: &str, partner: &str) -> Option<UnixTime> {
        let mut bytes = [0; NONCE];
        decode_base64url_into(nonce.as_bytes(), &mut bytes)?;
        let (signed, mac) = bytes.split_at(SIGNED);
        let expected = Digest::Sha256.mac(&self.0, [signed, partner.as_bytes()]);
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
    partner: Cow<'static, str>,
    /// How a browser sends the cookie along.
    sent: &'static str,
    max_age: Duration,
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
        let max_age = Duration::from_secs(600);
        let partner = Cow::Borrowed("");
        Self { cookie: cookie.into(), partner, sent: "SameSite=Lax", max_age, clock: Arc::new(SystemClock) }
    }

    /// Binds nonces to one partner, by any name that no other partner of the app has. A layer then refuses a nonce that
    /// was made for another name, and all can share the cookie. Default: no name.
    ///
    /// ```
    /// use tower_sso::challenge::Challenge;
    ///
    /// let challenge = Challenge::new("__Host-sso");
    /// let (forum, shop) = (challenge.clone().for_partner("forum"), challenge.for_partner("shop"));
    /// ```
    #[must_use]
    pub fn for_partner(self, name: impl Into<Cow<'static, str>>) -> Self {
        Self { partner: name.into(), ..self }
    }

    /// The cookie comes along with a form that the partner's page posts (`SameSite=None`). Default: only with links and
    /// redirects (`SameSite=Lax`).
    #[must_use]
    pub fn for_form_posts(self) -> Self {
        Self { sent: "SameSite=None", ..self }
    }

    /// As [`for_form_posts`](Self::for_form_posts), in a frame of the partner's page, where the login begins and ends
    /// (`SameSite=None; Partitioned`). Browsers keep such a cookie for this app in frames of that one site.
    #[must_use]
    pub fn in_frames(self) -> Self {
        Self { sent: "SameSite=None; Partitioned", ..self }
    }

    /// How long a nonce is valid, inclusive: the time that a user has to sign in at the partner. Default: 10 minutes.
    /// At most an hour.
    #[must_use]
    pub fn max_age(self, age: Duration) -> Self {
        Self { max_age: age, ..self }
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
        let mac = Digest::Sha256.mac(binding, [nonce.as_slice(), self.partner.as_bytes()]);
        nonce.extend_from_slice(&mac);
        let (name, sent, binding, lives) = (&self.cookie, self.sent, BASE64URL.encode(binding), COOKIE_LIVES.as_secs());
        let cookie = format!("{name}={binding}; Path=/; Max-Age={lives}; HttpOnly; Secure; {sent}");
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

    /// When a nonce was made, if this challenge made it for a browser with these bits.
    pub(crate) fn made_at(&self, binding: &Binding, nonce: &str) -> Option<UnixTime> {
        binding.made_at(nonce, &self.partner)
    }

    pub(crate) fn lifetime(&self) -> Duration {
        self.max_age
    }

    pub(crate) fn check(&self) -> Result<(), ConfigProblem> {
        if self.max_age.is_zero() || self.max_age > COOKIE_LIVES {
            return Err(ConfigProblem::setting(
                "challenge",
                "has a `max_age` of no time, or of more than the hour for which its cookie lives",
            ));
        }
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
            assert_eq!(binding.made_at(nonce, ""), Some(now));
        }
        let stranger = challenge.binding_in(&cookie_of(&challenge.issue(&HeaderMap::new()).unwrap())).unwrap();
        assert_eq!(stranger.made_at(one.nonce(), ""), None);
        assert_eq!(binding.made_at("cb68251eefb5211e58c00ff1395f0c0b", ""), None);
        // Another time, and one character more.
        assert_eq!(binding.made_at(&one.nonce().replacen("AAAAAGVT", "AAAAAGVU", 1), ""), None);
        assert_eq!(binding.made_at(&format!("{}A", one.nonce()), ""), None);
    }

    #[test]
    fn a_nonce_is_for_one_partner() {
        let challenge = Challenge::new("__Host-sso");
        let (forum, shop) = (challenge.clone().for_partner("forum"), challenge.clone().for_partner("shop"));
        let issued = forum.issue(&HeaderMap::new()).unwrap();
        let binding = challenge.binding_in(&cookie_of(&issued)).unwrap();
        assert!(forum.made_at(&binding, issued.nonce()).is_some());
        for other in [shop, challenge] {
            assert_eq!(other.made_at(&binding, issued.nonce()), None);
        }
    }

    #[test]
    fn other_hosts_cannot_set_the_cookie() {
        assert!(Challenge::new("sso").check().is_err());
        assert!(Challenge::new("__Host-s;o").check().is_err());
        assert!(Challenge::new("__Host-sso").check().is_ok());
    }

    #[test]
    fn a_nonce_does_not_outlive_its_cookie() {
        for (seconds, builds) in [(0, false), (1, true), (3_600, true), (3_601, false)] {
            let challenge = Challenge::new("__Host-sso").max_age(Duration::from_secs(seconds));
            assert_eq!(challenge.check().is_ok(), builds, "{seconds}");
        }
    }

    #[test]
    fn the_cookie_comes_along_with_what_the_partner_sends() {
        let ends = |challenge: Challenge, end: &str| {
            let issued = challenge.issue(&HeaderMap::new()).unwrap();
            assert!(issued.set_cookie().to_str().unwrap().ends_with(end), "{end}");
        };
        let challenge = || Challenge::new("__Host-sso");
        ends(challenge(), "; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax");
        ends(challenge().for_form_posts(), "; Secure; SameSite=None");
        ends(challenge().in_frames(), "; Secure; SameSite=None; Partitioned");
    }
}
