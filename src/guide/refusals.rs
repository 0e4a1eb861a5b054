//! Why was this request refused? Every code, its cause, and what to do.
//!
//! The client sees a *code*. You see the *reason* behind it: find it in the log, then in the tables below.
//!
//! ```text
//! INFO tower_sso: credential refused form="oauth1" namespace="" tenant=acme reason="bad_signature" detail=no active …
//!     facts=signature_method: HMAC-SHA1; base_string_uri: https://rp.example/launch; …
//! ```
//!
//! # Where the reason is
//!
//! `tracing_subscriber::fmt().init()` shows the log at `INFO`. With the feature `env-filter`, the shorter `fmt::init()`
//! shows errors alone until `RUST_LOG` is set: `RUST_LOG=tower_sso=info`.
//!
//! | where | what |
//! |---|---|
//! | log, target `tower_sso` | `form`, `tenant`, `reason`, `detail`, `facts`; 503 at `WARN`, others `INFO` |
//! | metrics (feature `metrics`) | `tower_sso_requests_total{outcome=reason}` [and others](crate::metrics) |
//! | the answer's extensions | [`Rejection`](crate::rejection::Rejection): for middleware outside, and for tests |
//! | [`responder`](crate::Builder::responder) | the same, to write an answer of your own |
//!
//! Of each kind (refused before the signature is verified, refused after it, a store failed), the log has 100 lines a
//! second; the rest is at `DEBUG`, and one line counts it. No line has the path: a span of your own around the layer
//! can. The tenant is the one that the request names. The *facts* are what was compared:
//! `age: 412 s; oldest: 300 s`, `base_string_uri: …`, `signed: …`, `hint: the time looks like …`. If no tenant could be
//! read, `tenant_of` says where the layer looked for one. Clients see none of it.
//!
//! To have a wrong signature explained, repeat the request with [`explain`](crate::explain#in-your-app), feature
//! `explain`: its page has a route for operators. The portal does it by
//! `cargo run --example portal -- --config portal.toml --explain 'URL, or a line for curl'`.
//!
//! [`Reason::step`](crate::rejection::Reason::step) tells how far the request came; all steps before it had passed.
//!
//! # Every code
//!
//! | code | status | reasons | look at |
//! |---|---|---|---|
//! | `malformed` | 400 | `missing_parameter`, `duplicate_parameter`, [and more](#malformed) | names; the form |
//! | `invalid` | 401 | `unknown_key`, `bad_signature`, `body_hash`; [more for tokens] | tenant, secret, signed bytes |
//! | `expired` | 401 | `expired` | both clocks; how long the link lay around |
//! | `not_yet_valid` | 401 | `not_yet_valid` | both clocks |
//! | `replayed` | 401 | `replayed`, `before_cutoff`, `forgotten` | double clicks, scanners, a restart |
//! | `rejected_claims` | 400 | `bad_payload`, `missing_field`, `refused_by_application` | payload, claims type |
//! | `method_not_allowed` | 405 | `method` | GET or POST; HEAD is never listed |
//! | `request_timeout` | 408 | `body_timeout` | a slow sender; a timeout outside |
//! | `payload_too_large` | 413 | `body_too_large`, `body_over_outer_limit` | `body_limit`, and limits outside |
//! | `unsupported_media_type` | 415 | `content_type`, `content_encoding` | the sender's headers |
//! | `too_early` | 425 | `prefetch` | nothing: the click follows |
//! | `too_many_requests` | 429 | `too_many_guesses` | a guesser; or a source that many share |
//! | `unavailable` | 503 | `key_store`, `replay_store`, `unusable_key`, `in_progress` | the line at `WARN` before it |
//!
//! # Malformed
//!
//! | reason | cause |
//! |---|---|
//! | `missing_parameter`, `missing_signature` | a part is not there |
//! | `duplicate_parameter` | a part is there twice |
//! | `malformed` | a part is badly encoded, too long or cut |
//! | `unsigned_body` | a body beside a credential that does not sign it, [see below](#the-body) |
//! | `incomplete_body` | the connection broke off, or the body could not be decompressed |
//!
//! `detail` names the part: "`token` is missing". Usually the partner calls it something else
//! ([`token_parameter`](crate::Builder::token_parameter), [`signature_header`](crate::Builder::signature_header)), or
//! the request is of [another form](super::which_form). "Is not canonical base64url" is a credential that was cut or
//! encoded twice.
//!
//! # Invalid: the signature
//!
//! | reason | cause | mend |
//! |---|---|---|
//! | `unknown_key` | there is no key for this tenant | `tenant=` in the log line, and your keys; [`Tenant`] |
//! | `unknown_key` of `shared_secret` | nobody has this secret | the organisation's tokens in [`PrivateKeys`] |
//! | `unknown_key` of `ticket` | it is spent, has expired or was never issued | a new ticket |
//! | `bad_signature` | another secret, or other signed bytes | copy the secret again; see below |
//! | `body_hash` | the body changed after it was signed | whatever rewrites bodies on their way |
//!
//! `bad_signature` for *every* request: the secret lacks its prefix or has one too many, is base64 that the partner
//! decodes first, or belongs to another tenant; OAuth has [another origin](super::proxies#the-origin-of-oauth-10a). For
//! *some*: a proxy rewrites bodies or queries, or the partner rotates its key. A secret that looks wrongly copied is
//! logged at `WARN`, once for each tenant. For *few*, from many places: somebody forges.
//!
//! # Invalid: the token
//!
//! `alg_not_allowed`: it is signed in another way than the layer takes. `wrong_audience`: it was made for somebody
//! else; compare [`audience`](crate::Builder::audience) with its `aud`. `missing_claim`, `bad_claim` and `bad_token`
//! name the claim or the header field in `detail`: see the [rules of `jwt`](crate::jwt#rules).
//!
//! # The time
//!
//! Compare the partner's clock with yours first. If both are right, links lie around: they are mailed, or the partner
//! makes them when it renders a page. Raising [`max_age`](crate::Builder::max_age) also makes stolen links work for
//! longer.
//!
//! A webhook that is `expired` may be a retry that keeps the time of the first attempt: then set `max_age` to how long
//! the sender retries.
//!
//! # Replayed
//!
//! | reason | cause | mend |
//! |---|---|---|
//! | `replayed` | a double click, a reload, a proxy's retry; a [mail scanner] | redirect at once; a button that posts |
//! | `replayed` | your own handler failed the first time, or the client hung up | a new link from the partner |
//! | `before_cutoff` | it was made before the store was, or in its first second | [wait a second before you listen] |
//! | `before_cutoff` of a webhook | a retry that kept its time, after a restart | Redis, or retries with a new time |
//! | `before_cutoff` of `jwt` | no `iat` and no `nbf`: refused for `max_lifetime` after a start | ask for `iat` |
//! | `forgotten` | it was made before a layer with a longer window was added | nothing: a new link works |
//!
//! A link is used up before your handler runs, whatever the handler answers: its page for a failure should say "go back
//! and click again". A webhook is let through again.
//!
//! # The claims
//!
//! The partner is who it says it is, and says something that you do not take. `missing_field` names the field that you
//! [require](crate::Builder::require). For `bad_payload` the detail names the field that is missing or has another
//! type, and never its value. Make it an `Option`, or ask the partner.
//! `refused_by_application` is your own [`map_claims`](crate::Builder::map_claims). The credential was not used up.
//!
//! # Before anything is read
//!
//! `method`: the layer lists [its methods](crate::Builder::methods). `prefetch`: the request says that nobody clicked;
//! the link is not used up. `too_many_guesses`: `Retry-After` says how long. If honest senders get it, the
//! [source](super::proxies#who-guesses) is one that they share.
//!
//! # The body
//!
//! Limits: 64 KiB and 10 s, [`body_limit`](crate::Builder::body_limit) and
//! [`body_timeout`](crate::Builder::body_timeout).
//!
//! `unsigned_body`: the credential is in the query, a header or a cookie, and does not sign the request's body. Have
//! the partner send its parameters where they are signed (OAuth 1.0a: in a form, or with `oauth_body_hash`), or no
//! body. A page with a [button](super::mail_scanners) posts none if none of its fields has a name. If the handler needs
//! the body and does not trust it, call [`danger_unsigned_body`](crate::Builder::danger_unsigned_body). Nothing was
//! used up.
//!
//! `body_over_outer_limit` is a limit outside the layer. `content_encoding`: the sender compresses, or a proxy does.
//!
//! # Unavailable
//!
//! | reason | cause | mend |
//! |---|---|---|
//! | `key_store`, `replay_store` | it failed, timed out ([`store_timeout`]) or is full | see the line "store failed" |
//! | `unusable_key` | none of the tenant's keys can be one | that tenant's key in the store; the log names the tenant |
//! | `in_progress` | a duplicate of this webhook is in progress | nothing: the sender tries again |
//!
//! # Why clients see so little
//!
//! An attacker sends guesses, and reads answers. If an unknown tenant could be told from a wrong key, your
//! customers could be listed. If broken padding could be told from a wrong MAC, tokens could be decrypted. So an answer
//! holds the code and no more. What is refused after the signature (`expired`, `replayed`, `rejected_claims`) has codes
//! of its own, as only a partner gets there. A responder that shows reasons gives this protection up.
//!
//! ```
//! # #[cfg(feature = "fernet")] {
//! use bytes::Bytes;
//! use http::Response;
//! use tower_sso::rejection::Code;
//!
//! let layer = tower_sso::fernet::layer::<serde_json::Value>().responder(|rejection, _| {
//!     let text = match rejection.code() {
//!         Code::Expired | Code::Replayed => "This link was used, or is too old. Take a new one.",
//!         Code::Unavailable => "Try again in a moment.",
//!         _ => "This link does not work.",
//!     };
//!     let mut answer = Response::new(Bytes::from_static(text.as_bytes()));
//!     *answer.status_mut() = rejection.code().status();
//!     answer
//! });
//! # }
//! # // This page names every code with its status, and every reason.
//! # let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/").to_owned();
//! # let read = |file: &str| std::fs::read_to_string(source.clone() + file).unwrap();
//! # let (page, codes, reasons) = (read("guide/refusals.rs"), read("rejection/code.rs"), read("rejection/reason.rs"));
//! # let quoted = |text: &str| text.split('"').nth(1).unwrap().to_owned();
//! # let mut found = (0, std::collections::HashSet::new());
//! # for row in codes.split("row!(\"").skip(1) {
//! #     let (word, rest) = row.split_once('"').unwrap();
//! #     let status = rest.split(',').nth(2).unwrap().trim();
//! #     assert!(page.contains(&format!("| `{word}` | {status} |")), "{word} {status}");
//! #     found.0 += 1;
//! # }
//! # for row in reasons.lines().filter(|line| line.contains("=> (\"")) {
//! #     let word = quoted(row);
//! #     assert!(page.contains(&format!("`{word}`")), "{word}");
//! #     assert!(found.1.insert(word), "two reasons have one word");
//! # }
//! # assert!(found.0 >= 13 && found.1.len() >= 33, "{found:?}");
//! ```
//!
//! [more for tokens]: #invalid-the-token
//! [`Tenant`]: crate::tenant::Tenant
//! [`PrivateKeys`]: crate::shared_secret::PrivateKeys
//! [mail scanner]: super::mail_scanners
//! [wait a second before you listen]: super::processes#restarts
//! [`store_timeout`]: crate::Builder::store_timeout
