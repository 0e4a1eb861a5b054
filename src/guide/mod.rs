//! The guide: how to integrate a partner, and what to watch for.
//!
//! | chapter | the question |
//! |---|---|
//! | [`first_partner`] | How do I take my first partner's sign-in links, and test that? |
//! | [`which_form`] | Which form does my partner send? |
//! | [`marketplaces`] | My app is added to a marketplace. How do I sign its users in? |
//! | [`webhooks`] | How do I take webhooks, each event once? |
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
//! A whole application with users, sessions and sign-out is in `examples/app`; `examples/portal` has all partners,
//! a database and metrics.

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
