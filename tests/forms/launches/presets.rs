//! The table: every preset of `providers::launches`, with a function that signs a launch as its platform does.

use super::launch::Launch;
use super::signers::Signer;
use super::{oauth, parameters, payloads, public_tokens, shared_secrets, tokens};
use crate::support::App;

/// A preset under test.
pub(super) struct Preset {
    /// The name of its function.
    pub(super) name: &'static str,
    pub(super) app: fn() -> App,
    /// A launch of this user at this time.
    pub(super) launch: fn(Signer, u64, &str) -> Launch,
    /// Whether the same launch may come again.
    pub(super) reusable: bool,
    /// Whether it signs the request that it comes with, or a part, although it may come again.
    pub(super) signs_requests: bool,
    pub(super) time: Time,
    /// A pair that would be signed with everything else, if it were there. `None` where pairs are listed, or stand in one
    /// token: any other pair is unsigned, and passes without a claim of its own.
    pub(super) appended: Option<&'static str>,
    /// Whether the secret itself says whose launch it is, so that nobody can name another.
    pub(super) secret_names_tenant: bool,
}

/// What a launch says of its time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Time {
    /// When it was made.
    Made,
    /// Only when it ends.
    End,
    /// Nothing: such presets say so.
    None,
}

pub(super) const DEFAULT: Preset = Preset {
    name: "",
    app: || unreachable!(),
    launch: |_, _, _| unreachable!(),
    reusable: false,
    signs_requests: false,
    time: Time::Made,
    appended: None,
    secret_names_tenant: false,
};

pub(super) const REUSABLE: Preset = Preset { reusable: true, ..DEFAULT };

pub(super) fn presets() -> impl Iterator<Item = &'static Preset> + Clone {
    let tables = [
        oauth::PRESETS,
        tokens::PRESETS,
        public_tokens::PRESETS,
        parameters::PRESETS,
        payloads::PRESETS,
        shared_secrets::PRESETS,
    ];
    tables.into_iter().flatten()
}
