//! Platforms that send an encrypted and signed payload.

use http::HeaderName;

use super::{Claims, DAY};
use crate::Builder;
use crate::scheme::{Place, TimeFormat};
use crate::sealed::{self, Seal, Sealed};

/// A store front that takes Shopify's place, and signs in the customers of a site that speaks Multipass:
/// `/account/login/multipass/{token}`.
///
/// The JSON in the token is encrypted and signed. Nothing else in the request is signed. It works once, and by default
/// for five minutes from its `created_at`: see [`max_age`](Builder::max_age). The secret is the Multipass secret. The
/// token stays in the path.
///
/// Source: shopify.dev, Multipass.
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{MemoryReplay, providers::launches::{self, MultipassCustomer}};
///
/// let login = launches::shopify_multipass::<MultipassCustomer>();
/// let login = login.secrets(["0123456789abcdef0123456789abcdef"]).replay(MemoryReplay::new()).build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn shopify_multipass<C: Claims>() -> Builder<Sealed<C>> {
    sealed::in_last_segment(Seal::AesCbcThenHmac).issued_at("created_at", TimeFormat::Rfc3339)
}

/// A page of an app that Zoom's client loads: the header `x-zoom-app-context`, which comes with each page.
///
/// The JSON in the header is encrypted and signed: `typ`, `uid`, `mid`, `aud`, `ts`, `exp` and `act`. Nothing else in
/// the request is signed. **A stolen header works until its `exp`**, which may be a day ahead. The secret is the app's
/// client secret.
///
/// Source: zoom/zoomapps-sample-js, `server/helpers/cipher.js`.
///
/// ```
/// use tower_sso::providers::launches::{self, ZoomContext};
///
/// let page = launches::zoom_app_context::<ZoomContext>().secrets(["0123456789abcdef"]).build()?;
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn zoom_app_context<C: Claims>() -> Builder<Sealed<C>> {
    let header = Place::header(HeaderName::from_static("x-zoom-app-context"));
    sealed::layer(Seal::FramedAesGcm, header).expires_at("exp", TimeFormat::Milliseconds, DAY).reusable()
}
