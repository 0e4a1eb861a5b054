//! LTI 1.3, whose platforms answer a login that they ask the app to begin.

use http::Method;
use serde::{Deserialize, Serialize};

use super::{Claims, HOUR};
use crate::Builder;
use crate::jwt::{self, Algorithm, Jwt};
use crate::scheme::Place;
use crate::text::percent::percent_encode;

/// Launches of LTI 1.3: the form that a platform posts at the end of a login, with an `id_token`.
///
/// A launch has two requests. The first, [`Lti13Login`], has no signature: the platform asks the app to begin, and the
/// app redirects the browser to the platform, with a nonce. The second is this form, whose token brings the nonce back.
/// The layer builds only with the [`Challenge`](crate::challenge::Challenge) that made the nonce, and takes it once,
/// from the browser that was given it. The platform's page posts the form, so the challenge has to be
/// [`in_frames`](crate::challenge::Challenge::in_frames), or
/// [`for_form_posts`](crate::challenge::Challenge::for_form_posts) if launches open in a tab of their own.
///
/// One layer is for one registration: set [`audience`](Builder::audience) to the client id and
/// [`issuer`](Builder::issuer) to the platform, without which it does not build. The keys are the platform's JWK set:
/// see [`PublicKeys`](crate::keys::PublicKeys). The tenant is the name that they have there. **Take only deployments
/// that you know**: anyone with an account at a platform of many schools can deploy your tool there, under the same
/// client id. Only the token is signed: other fields of the form, such as `state`, are not.
///
/// Source: 1EdTech, LTI 1.3 and Security Framework 1.0; docs.anthology.com, "Sample JWT content".
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::providers::launches::{self, Lti13Launch};
/// use tower_sso::{challenge::Challenge, keys::PublicKeys, replay::MemoryReplay};
///
/// // A cookie name for each platform.
/// let challenge = Challenge::new("__Host-lti-canvas").in_frames();
/// let launch = launches::lti13::<Lti13Launch>()
///     .issuer("https://canvas.example")
///     .audience("10000000000001")
///     .challenge(challenge.clone()) // and for `Lti13Login`: `challenge.issue(headers)`
///     .keys(PublicKeys::new("canvas"))
///     .replay(MemoryReplay::new())
///     .build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn lti13<C: Claims>() -> Builder<Jwt<C>> {
    jwt::layer(Algorithm::RS256)
        .token_in(Place::form("id_token"))
        .tenant_header("kid")
        .nonce_member("nonce")
        .answers_by_post()
        .authorized_party()
        .needs_issuer()
        .max_token_length(32 * 1024)
        .max_lifetime(HOUR)
        .require([
            "https://purl.imsglobal.org/spec/lti/claim/message_type",
            "https://purl.imsglobal.org/spec/lti/claim/version",
            "https://purl.imsglobal.org/spec/lti/claim/deployment_id",
        ])
        .methods([Method::POST])
}

/// A platform's request to begin a login, by GET or as a form. **Nothing proves it**: look up the platform that it
/// names, and send the browser nowhere but to the address that this platform is registered with.
///
/// ```
/// use tower_sso::challenge::Challenge;
/// use tower_sso::providers::launches::Lti13Login;
///
/// fn begin(login: &Lti13Login, headers: &http::HeaderMap) -> std::io::Result<http::Response<()>> {
///     // What the platform that `login.iss` names is registered with, and its cookie.
///     let challenge = Challenge::new("__Host-lti-canvas").in_frames();
///     let (platform, client_id) = ("https://canvas.example/api/lti/authorize_redirect", "10000000000001");
///     let issued = challenge.issue(headers)?;
///     let location = login.redirect(platform, client_id, "https://tool.example/launch", issued.nonce());
///     let answer = http::Response::builder().status(302).header("location", location);
///     Ok(answer.header("set-cookie", issued.set_cookie()).body(()).expect("what is put into a URL is escaped"))
/// }
/// # let login = serde_json::json!({"iss": "i", "login_hint": "a b", "target_link_uri": "https://tool.example/quiz"});
/// # let login: Lti13Login = serde_json::from_value(login).unwrap();
/// # let answer = begin(&login, &http::HeaderMap::new()).unwrap();
/// # let location = answer.headers()["location"].to_str().unwrap();
/// # let start = "https://canvas.example/api/lti/authorize_redirect?scope=openid&response_type=id_token";
/// # let client = "&response_mode=form_post&prompt=none&client_id=10000000000001";
/// # let hint = "&redirect_uri=https%3A%2F%2Ftool.example%2Flaunch&login_hint=a%20b&nonce=";
/// # assert!(location.starts_with(&[start, client, hint].concat()), "{location}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Lti13Login {
    /// The platform.
    pub iss: String,
    /// What the platform knows the user by.
    pub login_hint: String,
    /// What was opened in the tool. The token has it, signed.
    pub target_link_uri: String,
    /// The tool's id at the platform, if the platform has several of the tool.
    pub client_id: Option<String>,
    /// The deployment that was opened.
    pub lti_deployment_id: Option<String>,
    /// What the platform knows the launch by.
    pub lti_message_hint: Option<String>,
}

impl Lti13Login {
    /// Where to redirect the browser, so that the platform goes on. `platform` is the address that it is registered
    /// with, `client_id` the tool's id there, `launch` the address of the layer, and `nonce` comes from a
    /// [`Challenge`](crate::challenge::Challenge). `state`, which OpenID Connect asks for, is the nonce too.
    pub fn redirect(&self, platform: &str, client_id: &str, launch: &str, nonce: &str) -> String {
        let mut location = platform.as_bytes().to_vec();
        location.push(if platform.contains('?') { b'&' } else { b'?' });
        location.extend_from_slice(b"scope=openid&response_type=id_token&response_mode=form_post&prompt=none");
        let pairs = [("client_id", client_id), ("redirect_uri", launch), ("login_hint", &self.login_hint)];
        let hint = self.lti_message_hint.as_deref().map(|hint| ("lti_message_hint", hint));
        for (name, value) in pairs.into_iter().chain(hint).chain([("nonce", nonce), ("state", nonce)]) {
            location.extend_from_slice(format!("&{name}=").as_bytes());
            percent_encode(value.as_bytes(), &mut location);
        }
        String::from_utf8_lossy(&location).into_owned()
    }
}

/// What an LTI 1.3 launch says. Without the claims here, read the launch into a type of your own.
///
/// ```
/// fn place(launch: &tower_sso::providers::launches::Lti13Launch) -> Option<&str> {
///     launch.context.as_ref().map(|course| course.id.as_str())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Lti13Launch {
    /// The platform.
    pub iss: String,
    /// The user, by an id that is unique only within the platform; none for an anonymous one.
    pub sub: Option<String>,
    /// The user's name.
    pub name: Option<String>,
    /// The user's address.
    pub email: Option<String>,
    /// `LtiResourceLinkRequest` for a launch.
    #[serde(rename = "https://purl.imsglobal.org/spec/lti/claim/message_type")]
    pub message_type: String,
    /// The tool's deployment at the platform. **Take only those that you know.**
    #[serde(rename = "https://purl.imsglobal.org/spec/lti/claim/deployment_id")]
    pub deployment_id: String,
    /// What was opened in the tool.
    #[serde(rename = "https://purl.imsglobal.org/spec/lti/claim/target_link_uri")]
    pub target_link_uri: String,
    /// The link that was opened.
    #[serde(rename = "https://purl.imsglobal.org/spec/lti/claim/resource_link")]
    pub resource_link: Option<Lti13Place>,
    /// The course.
    #[serde(rename = "https://purl.imsglobal.org/spec/lti/claim/context")]
    pub context: Option<Lti13Place>,
    /// The user's roles, as in `http://purl.imsglobal.org/vocab/lis/v2/membership#Learner`.
    #[serde(default, rename = "https://purl.imsglobal.org/spec/lti/claim/roles")]
    pub roles: Vec<String>,
}

/// A course, or a link in it.
///
/// ```
/// fn id(launch: &tower_sso::providers::launches::Lti13Launch) -> Option<&str> {
///     launch.resource_link.as_ref().map(|link| link.id.as_str())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Lti13Place {
    /// Its id, unique only within the deployment.
    pub id: String,
    /// Its title.
    pub title: Option<String>,
}
