//! `BigBlueButton`, whose clients ask a server for meetings and send users to them.

use super::Claims;
use crate::Builder;
use crate::scheme::Digest;
use crate::signed_parameters::{self, Join, Order, Recipe, SignedParameters, Text};

/// Calls of BigBlueButton's API, such as `join`, to a server that takes BigBlueButton's place: one layer for each call,
/// at a path that ends in its name.
///
/// The call's name and the query as received are signed: `checksum` is their plain digest, with the secret behind them.
/// **It has no time, so each URL works for ever**, and again and again. The secret is the server's. The digest is
/// SHA-1; for clients that are set to another one, call [`digest`](Builder::digest). The body is not signed.
///
/// Source: docs.bigbluebutton.org, "API Reference".
///
/// ```
/// use tower_sso::providers::launches::{self, MeetingGuest};
///
/// let layer = launches::danger_bigbluebutton::<MeetingGuest>("join").secrets(["0123456789abcdef"]).build()?;
/// # Ok::<(), tower_sso::ConfigError>(())
/// ```
pub fn danger_bigbluebutton<C: Claims>(call: &str) -> Builder<SignedParameters<C>> {
    let recipe = Recipe::all(Join::pairs('&')).text(Text::Raw).order(Order::Sent).around(call.to_owned(), "");
    signed_parameters::layer(recipe.danger_digest_with_secret_at_the_end())
        .signature_parameter("checksum")
        .digest(Digest::Sha1)
        .reusable()
        .danger_without_time()
}
