//! The guide: how to integrate a partner, and what to watch for.
//!
//! | chapter | the question |
//! |---|---|
//! | [`first_partner`] | How do I take my first partner's sign-in links, and test that? |
//! | [`which_form`] | Which form does my partner send? |
//! | [`marketplaces`] | My app is added to a marketplace. How do I sign its users in? |
//! | [`webhooks`] | How do I take webhooks, and act on each event once? |
//! | [`own_form`] | No form fits. How do I write one, and prove it? |
//! | [`stacking`] | Which middleware goes outside the layer, and which inside? |
//! | [`proxies`] | What changes behind a proxy? |
//! | [`processes`] | What must several processes share? What happens at a restart? |
//! | [`testing`] | How do I test my handlers and stores? |
//! | [`sessions`] | Which cookie do I set, and what do I do about login CSRF? |
//! | [`mail_scanners`] | The partner mails its links. What opens them before the user does? |
//! | [`rotating`] | How do I replace a key, and what do I do about one that leaked? |
//! | [`check`] | What happens to one request, and what if the client hangs up? |
//! | [`refusals`] | Why was this request refused? |
//!
//! A whole application with users, sessions and sign-out is in `examples/app`. `examples/portal` has five partners
//! (TutorCruncher, Waggl, LCvista, Site Builder, seatmap.pro), a database and metrics.
//!
//! Examples that name `http`, `bytes`, `serde_json` or `tower` need that crate too; axum has the first two as
//! `axum::http` and `axum::body::Bytes`.
//!
//! # Words
//!
//! | word | means |
//! |---|---|
//! | form | a kind of credential: where it stands in a request, and how it is signed |
//! | preset | a layer that is already set up for one partner or platform, in [`providers`](crate::providers) |
//! | tenant | a customer organisation with keys of its own |
//! | claims | what the partner says about the user or the event |
//! | to claim | to mark a credential as used, so that no copy of it passes |
//! | replay store | remembers used credentials |
//! | fingerprint | identifies a credential: it is the same for every copy |
//! | startup cutoff | a store in memory refuses what was made before it started, as it may have been used |
//! | namespace | keeps two layers of one form apart, or two deployments on one Redis |
//! | delivery | one call of a webhook |
//! | lease | "in progress": held while your handler works on a delivery, for 30 s by default |
//! | settle, release | the delivery was processed, so duplicates get 200; or it was not, so a retry passes |
//! | decoy | a key that nobody has: unknown tenants are checked with it, so that they take as long as known ones |

pub mod check;
pub mod first_partner;
pub mod mail_scanners;
pub mod marketplaces;
pub mod own_form;
pub mod processes;
pub mod proxies;
pub mod refusals;
pub mod rotating;
pub mod sessions;
pub mod stacking;
pub mod testing;
pub mod webhooks;
pub mod which_form;
