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
//!    the nonce that it was given, and send on the answer.
//! 5. Tenants are partners too. A layer whose answers name their tenant, by `tenant_field`, `tenant_member` or
//!    `tenant_claim`, takes only a nonce that was made for that one: call [`for_tenant`](Challenge::for_tenant) where
//!    the login begins. A layer that finds the tenant elsewhere, in the path or in the token's header, takes a nonce
//!    from any of them: give tenants that could ask each other a layer each. With
//!    [`Tenant::host`](crate::Tenant::host), each host has a cookie of its own, which does the same.
//!
//! Which forms take one back: [`jwt`](crate::jwt), [`signed_parameters`](crate::signed_parameters) and
//! [`signed_payload`](crate::signed_payload), by [`nonce_member`](crate::Builder::nonce_member).

mod binding;
mod returned;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request};

use crate::ConfigProblem;
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::debug::opaque_debug;
use crate::rejection::Reason;
use crate::scheme::Place;
use crate::text::base64::{decode_base64url_into, encode_base64url};

pub(crate) use binding::Binding;
use binding::{BINDING, NONCE, SALT, tag};
pub(crate) use returned::ReturnedNonce;

/// The cookie comes back with links and redirects, but not with another site's forms.
const LAX: &str = "SameSite=Lax";

/// How long the cookie lives. Each nonce renews it.
const COOKIE_LIVES: Duration = Duration::from_secs(3_600);

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
    /// The tenant for which nonces are made. `None` in a layer's own challenge, whose answers name it.
    tenant: Option<Cow<'static, str>>,
    /// Whether nonces are for no tenant, whichever the answer names.
    any_tenant: bool,
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
        Self {
            cookie: cookie.into(),
            partner: Cow::Borrowed(""),
            tenant: None,
            any_tenant: false,
            sent: LAX,
            max_age,
            clock: Arc::new(SystemClock),
        }
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

    /// Binds nonces to one tenant of a layer whose answers name their tenant: the layer takes no other. Call it where a
    /// login begins, with the name that the layer's [`Identity::tenant`](crate::Identity::tenant) will have. Default:
    /// none, for layers whose answers name no tenant.
    ///
    /// ```
    /// use tower_sso::challenge::Challenge;
    ///
    /// let challenge = Challenge::new("__Host-shopify"); // for the layer
    /// let issued = challenge.clone().for_tenant("some-shop.myshopify.com").issue(&http::HeaderMap::new())?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn for_tenant(self, name: impl Into<Cow<'static, str>>) -> Self {
        Self { tenant: Some(name.into()), ..self }
    }

    /// Takes a nonce from whichever tenant answers, for logins that begin before the tenant is known. **A tenant that
    /// was given a nonce can ask another one with it, and sign your user in with that one's answer.** If the layer's
    /// answers name their tenant, the nonce works once for each of them. Give this to the layer, and issue nonces
    /// without [`for_tenant`](Self::for_tenant). Default: only a nonce that was made for the tenant that answers.
    #[must_use]
    pub fn danger_for_any_tenant(self) -> Self {
        Self { tenant: None, any_tenant: true, ..self }
    }

    /// The browser also sends the cookie with a form that the partner's page posts (`SameSite=None`). Default: only
    /// with links and redirects (`SameSite=Lax`), so that every posted answer is refused.
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
        let mac = tag(binding, &nonce, &self.partner, self.tenant.as_deref());
        nonce.extend_from_slice(&mac);
        let (name, sent, binding, lives) = (&self.cookie, self.sent, encode_base64url(binding), COOKIE_LIVES.as_secs());
        let cookie = format!("{name}={binding}; Path=/; Max-Age={lives}; HttpOnly; Secure; {sent}");
        let mut set_cookie = HeaderValue::try_from(cookie).map_err(std::io::Error::other)?;
        set_cookie.set_sensitive(true);
        Ok(Issued { nonce: encode_base64url(&nonce), set_cookie })
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

    /// When a nonce was made, if this challenge made it for a browser with these bits, and for the tenant that the
    /// answer names.
    pub(crate) fn made_at(&self, binding: &Binding, nonce: &str, tenant: Option<&str>) -> Option<UnixTime> {
        let tenant = if self.any_tenant { None } else { tenant.or(self.tenant.as_deref()) };
        binding.made_at(nonce, &self.partner, tenant)
    }

    pub(crate) fn lifetime(&self) -> Duration {
        self.max_age
    }

    /// Whether browsers leave the cookie out of a form that the partner's page posts.
    pub(crate) fn stays_behind_in_posts(&self) -> bool {
        self.sent == LAX
    }

    /// `names_tenant`: whether the layer's answers name their tenant.
    ///
    /// # Errors
    /// If its settings contradict each other or the layer's.
    pub(crate) fn check(&self, names_tenant: bool) -> Result<(), ConfigProblem> {
        if names_tenant && self.tenant.is_some() {
            return Err(ConfigProblem::setting(
                "challenge",
                "is for one tenant, and the layer's answers name theirs: call `for_tenant` where a login begins",
            ));
        }
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
            assert_eq!(binding.made_at(nonce, "", None), Some(now));
        }
        let stranger = challenge.binding_in(&cookie_of(&challenge.issue(&HeaderMap::new()).unwrap())).unwrap();
        assert_eq!(stranger.made_at(one.nonce(), "", None), None);
        assert_eq!(binding.made_at("cb68251eefb5211e58c00ff1395f0c0b", "", None), None);
        // Another time, and one character more.
        assert_eq!(binding.made_at(&one.nonce().replacen("AAAAAGVT", "AAAAAGVU", 1), "", None), None);
        assert_eq!(binding.made_at(&format!("{}A", one.nonce()), "", None), None);
    }

    #[test]
    fn a_nonce_is_for_one_partner() {
        let challenge = Challenge::new("__Host-sso");
        let (forum, shop) = (challenge.clone().for_partner("forum"), challenge.clone().for_partner("shop"));
        let issued = forum.issue(&HeaderMap::new()).unwrap();
        let binding = challenge.binding_in(&cookie_of(&issued)).unwrap();
        assert!(forum.made_at(&binding, issued.nonce(), None).is_some());
        for other in [shop, challenge] {
            assert_eq!(other.made_at(&binding, issued.nonce(), None), None);
        }
    }

    #[test]
    fn a_nonce_is_for_one_tenant() {
        let challenge = || Challenge::new("__Host-sso");
        let made = [
            challenge(),
            challenge().for_tenant(""),
            challenge().for_tenant("ab"),
            challenge().for_partner("a").for_tenant("b"),
            challenge().for_partner("ab"),
        ];
        for (at, maker) in made.iter().enumerate() {
            let issued = maker.issue(&HeaderMap::new()).unwrap();
            let binding = maker.binding_in(&cookie_of(&issued)).unwrap();
            for (other, partner, tenant) in
                [(0, "", None), (1, "", Some("")), (2, "", Some("ab")), (3, "a", Some("b")), (4, "ab", None)]
            {
                let known = binding.made_at(issued.nonce(), partner, tenant).is_some();
                assert_eq!(known, at == other, "{partner:?} {tenant:?} knows a nonce of {at}");
            }
        }
    }

    #[test]
    fn a_layer_takes_the_tenants_that_its_answers_name() {
        let challenge = || Challenge::new("__Host-sso");
        let acme = challenge().for_tenant("acme").issue(&HeaderMap::new()).unwrap();
        let binding = challenge().binding_in(&cookie_of(&acme)).unwrap();
        for (of_layer, named, expected) in [
            (challenge(), Some("acme"), true),
            (challenge(), Some("other"), false),
            (challenge(), None, false),
            (challenge().for_tenant("acme"), None, true),
            (challenge().danger_for_any_tenant(), Some("acme"), false),
        ] {
            assert_eq!(of_layer.made_at(&binding, acme.nonce(), named).is_some(), expected, "{named:?}");
        }
        let any = challenge().danger_for_any_tenant();
        let issued = any.issue(&HeaderMap::new()).unwrap();
        let binding = any.binding_in(&cookie_of(&issued)).unwrap();
        assert!(any.made_at(&binding, issued.nonce(), Some("acme")).is_some());
        assert!(challenge().for_tenant("acme").check(true).is_err() && challenge().check(true).is_ok());
    }

    #[test]
    fn other_hosts_cannot_set_the_cookie() {
        assert!(Challenge::new("sso").check(false).is_err());
        assert!(Challenge::new("__Host-s;o").check(false).is_err());
        assert!(Challenge::new("__Host-sso").check(false).is_ok());
    }

    #[test]
    fn a_nonce_does_not_outlive_its_cookie() {
        for (seconds, builds) in [(0, false), (1, true), (3_600, true), (3_601, false)] {
            let challenge = Challenge::new("__Host-sso").max_age(Duration::from_secs(seconds));
            assert_eq!(challenge.check(false).is_ok(), builds, "{seconds}");
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
