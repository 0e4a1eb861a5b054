//! A page for the partner: how to sign requests for a layer, with programs that do it.
//!
//! A [`Kit`] is made of a layer's settings: address, parameters, algorithm, window, the steps to a signature, a test
//! vector with the value of each step, what is refused and why, and a program in each [`Language`]. Send it to the
//! partner, or show it to operators: it has no route of its own.
//!
//! **Nothing in it is secret.** The only key in it is made for the page, and the layer's keys are not read. It does say
//! what the layer checks, as the partner's own documentation would.
//!
//! **The layer takes what the page shows.** The example is checked with the page's key by the layer's own
//! [form](crate::form::Form), up to the claims. A page whose example it would refuse is not made.
//!
//! For partners who sign with a private key, the page has a key pair of its own:
//! [`throwaway_key_pair`](KitBuilder::throwaway_key_pair).
//!
//! There is no kit for the form `ticket`, whose credentials your own app issues, and for forms of your own.
//!
//! Feature `kit`; for this example `timestamp-hash` too.
//!
//! ```
//! # #[cfg(all(feature = "timestamp-hash", feature = "moka"))] {
//! use tower_sso::replay::MemoryReplay;
//! use tower_sso::timestamp_hash::{self, Digest, Recipe};
//!
//! let recipe = Recipe::hmac(Digest::Sha256, ["timestamp", "email"], "|");
//! let layer = timestamp_hash::layer::<serde_json::Value>(recipe)
//!     .secrets(["a-secret-of-the-partner"])
//!     .replay(MemoryReplay::new())
//!     .build()?;
//! let kit = layer.kit("https://app.example/sso").partner("Acme").claim("email", "ada@example.com").build()?;
//! assert!(kit.markdown().starts_with("# Acme: requests to"));
//! assert!(kit.html().contains("<h2>Test vector</h2>"));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod check;
mod document;
mod html;
mod languages;
mod markdown;
mod page;
#[cfg(feature = "public-key")]
mod pair;
mod words;

use bytes::Bytes;
use http::Request;

use crate::debug::opaque_debug;
use crate::keys::Secret;
use document::Document;

pub use builder::KitBuilder;
pub use languages::{Language, Program};

/// What a partner needs to sign requests for a layer. Made by [`VerifyLayer::kit`](crate::VerifyLayer::kit).
///
/// ```
/// use tower_sso::kit::Kit;
///
/// fn save(kit: &Kit) -> std::io::Result<()> {
///     std::fs::write("partner.md", kit.markdown())?;
///     std::fs::write("partner.html", kit.html())
/// }
/// ```
pub struct Kit {
    document: Document,
    programs: Vec<Program>,
    key: Secret,
    vector: Request<Bytes>,
}

opaque_debug!(Kit { programs });

impl Kit {
    /// The page as Markdown.
    pub fn markdown(&self) -> String {
        markdown::write(&self.document)
    }

    /// The page as HTML, complete and without scripts. Everything in it is escaped.
    pub fn html(&self) -> String {
        html::write(&self.document)
    }

    /// The programs, one for each language that can sign for this layer.
    pub fn programs(&self) -> &[Program] {
        &self.programs
    }

    /// The kit's own key: the secret, or the public key of the pair. To try the programs, give it to a layer in a test.
    /// **Never give it to one in production**: whoever has the page can sign.
    pub fn key(&self) -> &Secret {
        &self.key
    }

    /// The request of the test vector, signed with [`key`](Self::key).
    pub fn vector(&self) -> &Request<Bytes> {
        &self.vector
    }
}
