//! What a partner may do otherwise with a token than this layer expects.

use http::HeaderName;
use http::header::AUTHORIZATION;

use super::SharedSecret;
use super::token::Written;
use crate::near_miss::copy_form;
use crate::scheme::Place;

const WRITTEN: [(Written, &str); 6] = [
    (Written::Bare, "has white space, quotes or a byte order mark around it"),
    (Written::LastWord, "has a word such as `Bearer` before it"),
    (Written::Decoded, "is the base64 of the secret"),
    (Written::Plain, "is sent as it is, and this layer expects base64 of `user:password`"),
    (Written::Password, "is the password in base64 of `user:password`"),
    (Written::Credentials, "is base64 of `user:password`"),
];

copy_form!(SharedSecret<C> { keys, place, written, may_be_in_query, required, throttle });

impl<C> SharedSecret<C> {
    /// As a check without effects: nothing is counted.
    pub(super) fn uncounted(&self) -> Self {
        Self { throttle: None, ..self.copy() }
    }

    pub(super) fn near(&self) -> Vec<(String, Self)> {
        let written = WRITTEN.into_iter().filter(|(written, _)| *written != self.written);
        let written =
            written.map(|(written, what)| (format!("the token {what}"), Self { written, ..self.uncounted() }));
        let places = [
            ("`Authorization: Bearer`", Place::bearer()),
            ("`Authorization`, without a word before it", Place::header(AUTHORIZATION)),
            ("`X-Api-Key`", Place::header(HeaderName::from_static("x-api-key"))),
            ("`X-Auth-Token`", Place::header(HeaderName::from_static("x-auth-token"))),
        ];
        let places = places.into_iter().filter(|(_, place)| *place != self.place).map(|(name, place)| {
            (format!("the token is in the header {name}: see `token_in`"), Self { place, ..self.uncounted() })
        });
        written.chain(places).collect()
    }
}
