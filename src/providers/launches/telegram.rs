//! Telegram, whose login widget and Mini Apps sign lines of parameters.

use super::{ANY_METHOD, Claims, DAY};
use crate::Builder;
use crate::scheme::{Digest, KeyDerivation, Place, TimeFormat};
#[cfg(feature = "public-key")]
use crate::scheme::{Encoding, PublicKeyAlgorithm};
use crate::signed_parameters::{self, Join, Recipe, SignedParameters, Source};

/// The public key of [`telegram_mini_app_third_party`], in hexadecimal. Telegram's test environment has another one.
#[cfg(feature = "public-key")]
#[cfg_attr(docsrs, doc(cfg(feature = "public-key")))]
pub const TELEGRAM_KEY: &str = "e7bf03a2fa4602af4580703d88dda5bb59f32ed8b02a56c187fe7d34caed242d";

/// Telegram's login widget: `hash`.
///
/// All parameters are signed, so the address that Telegram returns to must have none of its own. The secret is the
/// bot's token. A login is accepted once, and for a day, as SDKs for it take them: `auth_date` says when the user
/// agreed, and a page may send it later. **A login that was stolen unused works for as long**: if yours are sent at
/// once, call [`max_age`](Builder::max_age) with a few minutes.
///
/// Source: core.telegram.org, "Telegram Login Widget".
///
/// ```
/// # #[cfg(feature = "moka")] {
/// use tower_sso::{MemoryReplay, providers::launches::{self, TelegramUser}};
///
/// let layer = launches::telegram_login::<TelegramUser>();
/// let layer = layer.secrets(["12345:0123456789abcdef"]).replay(MemoryReplay::new()).build()?;
/// # }
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn telegram_login<C: Claims>() -> Builder<SignedParameters<C>> {
    signed_parameters::layer(Recipe::all(Join::pairs('\n')))
        .signature_parameter("hash")
        .key_derivation(KeyDerivation::digest(Digest::Sha256))
        .issued_at("auth_date", TimeFormat::Seconds)
        .max_age(DAY)
        .require(["id"])
}

/// Telegram's Mini Apps: the string `initData`, where your page sends it.
///
/// All of its pairs are signed. `user` is JSON in text. The string may come again for a day, as the page sends it with
/// each call, of any method. The secret is the bot's token.
///
/// Source: Telegram-Mini-Apps/telegram-apps, `init-data-node`.
///
/// ```
/// use tower_sso::{providers::launches::{self, MiniApp}, scheme::Place};
///
/// // Authorization: tma user=…&auth_date=…&hash=…
/// let place = Place::header_after(http::header::AUTHORIZATION, "tma");
/// let layer = launches::telegram_mini_app::<MiniApp>(place).secrets(["12345:0123456789abcdef"]).build()?;
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn telegram_mini_app<C: Claims>(place: Place) -> Builder<SignedParameters<C>> {
    signed_parameters::layer(Recipe::all(Join::pairs('\n')))
        .source(Source::Value(place))
        .signature_parameter("hash")
        .key_derivation(KeyDerivation::hmac_keyed_with(Digest::Sha256, "WebAppData"))
        .issued_at("auth_date", TimeFormat::Seconds)
        .max_age(DAY)
        .reusable()
        .methods(ANY_METHOD)
}

/// MAX's mini apps: as [`telegram_mini_app`], with the token of MAX's bot. All pairs of the string are signed.
///
/// Source: dev.max.ru, mini apps, validation.
///
/// ```
/// use tower_sso::{providers::launches::{self, MiniApp}, scheme::Place};
///
/// let place = Place::header(http::HeaderName::from_static("x-init-data"));
/// let layer = launches::max_mini_app::<MiniApp>(place).secrets(["0123456789abcdef"]).build()?;
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn max_mini_app<C: Claims>(place: Place) -> Builder<SignedParameters<C>> {
    telegram_mini_app(place)
}

/// Telegram's Mini Apps, for an app that does not have the bot's token: the string `initData` with Ed25519's
/// `signature`.
///
/// The bot's id, which is not in the string, and all pairs but `hash` are signed. So a string that another bot got is
/// refused. A string may come again for a day, as the page sends it with each call. The key is [`TELEGRAM_KEY`].
///
/// Source: core.telegram.org, "Validating data for Third-Party Use".
///
/// ```
/// use tower_sso::{providers::launches::{self, MiniApp}, scheme::Place};
///
/// let place = Place::header_after(http::header::AUTHORIZATION, "tma");
/// let layer = launches::telegram_mini_app_third_party::<MiniApp>(7_342_037_359, place);
/// layer.secrets([launches::TELEGRAM_KEY]).build()?;
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
#[cfg(feature = "public-key")]
#[cfg_attr(docsrs, doc(cfg(feature = "public-key")))]
pub fn telegram_mini_app_third_party<C: Claims>(bot_id: u64, place: Place) -> Builder<SignedParameters<C>> {
    let recipe = Recipe::all(Join::pairs('\n')).except(["hash"]).around(format!("{bot_id}:WebAppData\n"), "");
    signed_parameters::layer(recipe)
        .source(Source::Value(place))
        .public_key(PublicKeyAlgorithm::Ed25519)
        .encoding(Encoding::Base64Url)
        .issued_at("auth_date", TimeFormat::Seconds)
        .max_age(DAY)
        .reusable()
        .methods(ANY_METHOD)
}
