use std::sync::Arc;

use http::Uri;

use crate::received::is_host;
use crate::{ConfigError, ConfigProblem};

/// The address of an organisation's sign-in page. Cheap to clone.
///
/// ```
/// use tower_sso::login_redirect::SsoUrl;
///
/// assert!(SsoUrl::parse("https://yourcompany.com/waggl/sso/?from=waggl").is_ok(), "its query is kept");
/// assert!(SsoUrl::parse("//yourcompany.com/").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SsoUrl(Arc<str>);

impl SsoUrl {
    /// Reads an absolute address, http or https, without user information and fragment.
    ///
    /// # Errors
    /// [`ConfigProblem::Setting`] for any other.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let uri: Option<Uri> = text.parse().ok();
        let absolute = uri.as_ref().is_some_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https")) && uri.authority().is_some_and(is_host)
        });
        if absolute && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'\\' | b'"')) {
            return Ok(Self(text.into()));
        }
        let problem =
            "is not an address such as https://yourcompany.com/sso/: give the one that the organisation has given";
        Err(ConfigProblem::setting("sso_url", problem).into())
    }

    pub(super) fn with(&self, parameters: &str) -> String {
        let separator = match self.0.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some((_, query)) if query.ends_with('&') => "",
            Some(_) => "&",
        };
        format!("{}{separator}{parameters}", self.0)
    }
}
