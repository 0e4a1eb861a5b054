//! The parts of a response that tests compare.

use http::header::{LOCATION, SET_COOKIE};
use http::{HeaderMap, StatusCode};

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) set_cookie: Option<String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn new(status: StatusCode, headers: &HeaderMap, body: String) -> Self {
        let header = |name| Some(headers.get(name)?.to_str().ok()?.to_owned());
        Self { status: status.as_u16(), location: header(LOCATION), set_cookie: header(SET_COOKIE), body }
    }

    /// The cookie as the browser sends it back.
    pub(crate) fn cookie(&self) -> &str {
        self.cookie_and_attributes().0
    }

    /// The cookie, and its attributes in alphabetical order.
    pub(crate) fn cookie_and_attributes(&self) -> (&str, Vec<&str>) {
        let mut parts = self.set_cookie.as_deref().unwrap_or_default().split("; ");
        let cookie = parts.next().unwrap_or_default();
        let mut attributes: Vec<_> = parts.collect();
        attributes.sort_unstable();
        (cookie, attributes)
    }
}
