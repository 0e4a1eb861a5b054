//! Platforms and proxies that sign a JWT with a private key.
//!
//! A signature in a header proves who made it, and not that the request came through the proxy: the app must not be
//! reachable around it.

use http::{HeaderName, Method};

use std::borrow::Cow;

use super::{ANY_METHOD, Claims, MINUTE};
use crate::Builder;
use crate::jwt::{self, Algorithm, Jwt};
use crate::scheme::Place;

/// Who makes Google's sign-ups.
const MARKETPLACE: &str =
    "https://www.googleapis.com/robot/v1/metadata/x509/cloud-commerce-partner@system.gserviceaccount.com";

/// Requests through Cloudflare Access: `Cf-Access-Jwt-Assertion`.
///
/// **Reusable** for as long as the session. Set [`audience`](Builder::audience) to the application's AUD tag and
/// [`issuer`](Builder::issuer) to the team's domain, without which it does not build. The keys are a JWK set: see
/// [`PublicKeys`](crate::keys::PublicKeys). The cookie `CF_Authorization` holds the same token. The request is not
/// signed.
///
/// Source: developers.cloudflare.com, "Validate JWTs" and "Application token".
///
/// ```
/// use tower_sso::{keys::PublicKeys, providers::launches::{self, AccessUser}};
///
/// let keys = PublicKeys::new("team.example");
/// let layer = launches::cloudflare_access::<AccessUser>().audience("aud-tag").issuer("https://team.example");
/// let layer = layer.keys(keys).build()?;
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn cloudflare_access<C: Claims>() -> Builder<Jwt<C>> {
    signed_header(Algorithm::RS256, "cf-access-jwt-assertion").danger_any_lifetime().needs_issuer()
}

/// Requests through Google's Identity-Aware Proxy: `x-goog-iap-jwt-assertion`.
///
/// **Reusable** until it expires, which Google sets to ten minutes. Set [`audience`](Builder::audience) to
/// `/projects/…`, as the console shows it. The issuer must be Google's. The keys are a JWK set: see
/// [`PublicKeys`](crate::keys::PublicKeys). The request is not signed.
///
/// Source: cloud.google.com, IAP, "Securing your app with signed headers".
///
/// ```
/// use tower_sso::{keys::PublicKeys, providers::launches::{self, IapUser}};
///
/// let keys = PublicKeys::new("iap");
/// let layer = launches::google_iap::<IapUser>().audience("/projects/1/global/backendServices/2").keys(keys);
/// ```
pub fn google_iap<C: Claims>() -> Builder<Jwt<C>> {
    signed_header(Algorithm::ES256, "x-goog-iap-jwt-assertion").issuer("https://cloud.google.com/iap")
}

/// Requests through an Application Load Balancer of AWS that signs users in: `x-amzn-oidc-data`.
///
/// `signer` is the load balancer's ARN: **every balancer of a region signs with the same keys**, also another
/// customer's. The token is in padded base64url. **Reusable** until the `exp` of its header, which AWS sets to two
/// minutes. The keys come by `kid`, in PEM, from an address of the region: see [`PublicKeys`](crate::keys::PublicKeys).
/// The request is not signed.
///
/// Source: AWS, "Authenticate users using an Application Load Balancer".
///
/// ```
/// use tower_sso::{keys::PublicKeys, providers::launches::{self, AlbUser}};
///
/// let arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/x/1";
/// let layer = launches::aws_alb::<AlbUser>(arn).keys(PublicKeys::new("eu-west-1"));
/// ```
pub fn aws_alb<C: Claims>(signer: impl Into<Cow<'static, str>>) -> Builder<Jwt<C>> {
    danger_aws_alb_of_anyone().require_header("signer", signer)
}

/// As [`aws_alb`], of any load balancer of the region: **whoever has one there can sign in as anybody.** The request is
/// not signed.
///
/// Source: AWS, "Authenticate users using an Application Load Balancer".
///
/// ```
/// use tower_sso::{keys::PublicKeys, providers::launches::{self, AlbUser}};
///
/// let layer = launches::danger_aws_alb_of_anyone::<AlbUser>().keys(PublicKeys::new("eu-west-1"));
/// ```
pub fn danger_aws_alb_of_anyone<C: Claims>() -> Builder<Jwt<C>> {
    signed_header(Algorithm::ES256, "x-amzn-oidc-data").padded().header_expires().danger_any_audience()
}

/// Requests through AWS Verified Access: `x-amzn-ava-user-context`.
///
/// As [`aws_alb`], with ES384; `signer` is the Verified Access instance's ARN. IAM Identity Center writes the user in
/// another way: read its tokens into a type of your own. The request is not signed.
///
/// Source: AWS, "Retrieve and verify user context in Verified Access".
///
/// ```
/// use tower_sso::{keys::PublicKeys, providers::launches::{self, AlbUser}};
///
/// let arn = "arn:aws:ec2:eu-west-1:123456789012:verified-access-instance/vai-1";
/// let layer = launches::aws_verified_access::<AlbUser>(arn).keys(PublicKeys::new("eu-west-1"));
/// ```
pub fn aws_verified_access<C: Claims>(signer: impl Into<Cow<'static, str>>) -> Builder<Jwt<C>> {
    signed_header(Algorithm::ES384, "x-amzn-ava-user-context")
        .padded()
        .header_expires()
        .require_header("signer", signer)
        .danger_any_audience()
}

/// Sign-ups from the Google Cloud Marketplace: the field `x-gcp-marketplace-token` of a form.
///
/// Once, for five minutes. Set [`audience`](Builder::audience) to the app's domain; the account is `sub`. The issuer
/// must be the marketplace's, whose address the keys come from. They are X.509 certificates by `kid`, in PEM: see
/// [`PublicKeys::set`](crate::keys::PublicKeys::set). Other fields are not signed.
///
/// Source: cloud.google.com, Marketplace, "Integrate the frontend".
///
/// ```
/// use tower_sso::{keys::PublicKeys, providers::launches::{self, MarketplaceSignUp}};
///
/// let keys = PublicKeys::new("marketplace");
/// let layer = launches::google_cloud_marketplace::<MarketplaceSignUp>().audience("app.example").keys(keys);
/// ```
pub fn google_cloud_marketplace<C: Claims>() -> Builder<Jwt<C>> {
    jwt::layer(Algorithm::RS256)
        .token_in(Place::form("x-gcp-marketplace-token"))
        .issuer(MARKETPLACE)
        .tenant_header("kid")
        .max_lifetime(5 * MINUTE)
        .methods([Method::POST])
}

/// Apps in Zendesk's framework, whose first page gets a signed POST: the field `token` of a form.
///
/// Once, on the first load only. Set [`audience`](Builder::audience) to the installation's address. The key is the
/// app's public key in PEM. Give it to [`secrets`](Builder::secrets). Other fields are not signed. **Nor is the
/// query**: the token has a hash of it, `qsh`, whose rule is not published, so nobody checks it; `cnf` says where the
/// key is, and is not followed.
///
/// Source: developer.zendesk.com, "Building a server-side app", part 5, and "Using the Apps framework", JWT claims, as
/// public apps read them.
///
/// ```
/// use tower_sso::providers::launches::{self, ZendeskVisit};
///
/// # let pem = "-----BEGIN PUBLIC KEY-----\n…";
/// let app = launches::zendesk_app::<ZendeskVisit>().audience("https://x.example/1.json").secrets([pem]);
/// ```
pub fn zendesk_app<C: Claims>() -> Builder<Jwt<C>> {
    jwt::layer(Algorithm::RS256)
        .token_in(Place::form("token"))
        .danger_unchecked_claims(["cnf", "qsh"])
        .methods([Method::POST])
}

/// Calls of an app's page in Canva to the app's backend: `Authorization: Bearer`.
///
/// Once: the page gets a token for each call. Set [`audience`](Builder::audience) to the app's id. The keys are the
/// app's JWK set: see [`PublicKeys`](crate::keys::PublicKeys). The call is not signed, so one with a body is refused:
/// for those, call [`danger_unsigned_body`](Builder::danger_unsigned_body), and do not trust the body.
///
/// Source: canva.dev, Apps SDK, "JSON Web Tokens".
///
/// ```
/// use tower_sso::{keys::PublicKeys, providers::launches::{self, CanvaUser}};
///
/// let layer = launches::canva::<CanvaUser>().audience("AAAAAAAAAAA").keys(PublicKeys::new("canva"));
/// ```
pub fn canva<C: Claims>() -> Builder<Jwt<C>> {
    jwt::layer(Algorithm::RS256).token_in(Place::bearer()).tenant_header("kid").methods(ANY_METHOD)
}

/// Calls of an app on Atlassian Forge to its remote backend: `Authorization: Bearer`, the invocation token.
///
/// Set [`audience`](Builder::audience) to the app's id, as in `ari:cloud:ecosystem::app/…`. The keys are Atlassian's
/// JWK set: see [`PublicKeys`](crate::keys::PublicKeys). The installation is in the claims. The call is not signed, so
/// one with a body is refused: for those, call [`danger_unsigned_body`](Builder::danger_unsigned_body), and do not
/// trust the body.
///
/// Source: developer.atlassian.com, Forge Remote, "Verifying remote requests".
///
/// ```
/// use tower_sso::{keys::PublicKeys, providers::launches::{self, ForgeCall}};
///
/// let app = "ari:cloud:ecosystem::app/00000000-0000-0000-0000-000000000000";
/// let layer = launches::atlassian_forge::<ForgeCall>().audience(app).keys(PublicKeys::new("forge"));
/// ```
pub fn atlassian_forge<C: Claims>() -> Builder<Jwt<C>> {
    jwt::layer(Algorithm::RS256)
        .token_in(Place::bearer())
        .tenant_header("kid")
        .issuer("forge/invocation-token")
        .methods(ANY_METHOD)
}

/// Power-Ups of Trello: a token that the app's page gets from Trello and sends on, by default in the query as `jwt`.
///
/// The user is `idMember`, and the issuer must be `trello`. RS256 with the key that Trello publishes, in PEM; fifteen
/// minutes. The token has no audience: **one that another Power-Up got signs in here**, unless you compare `idPlugin`.
/// Other parameters are not signed.
///
/// Source: developer.atlassian.com, Trello Power-Ups, `t.jwt`.
///
/// ```
/// use tower_sso::providers::launches::{self, TrelloMember};
///
/// let layer = launches::danger_trello::<TrelloMember>();
/// ```
pub fn danger_trello<C: Claims>() -> Builder<Jwt<C>> {
    jwt::layer(Algorithm::RS256).token_parameter("jwt").issuer("trello").danger_any_audience()
}

/// A reusable token in a header, with the sender's key named by `kid`.
fn signed_header<C: Claims>(algorithm: Algorithm, name: &'static str) -> Builder<Jwt<C>> {
    jwt::layer(algorithm)
        .token_in(Place::header(HeaderName::from_static(name)))
        .tenant_header("kid")
        .danger_reusable()
        .methods(ANY_METHOD)
}
