//! What happens to one request, step by step? What remains if the client hangs up?
//!
//! # The steps
//!
//! | step | what is done | refused as |
//! |---|---|---|
//! | screen | is there a credential, in the right content type? | `malformed`, `unsupported_media_type` |
//! | | method, marks of a prefetch, throttle | `method_not_allowed`, `too_early`, `too_many_requests` |
//! | read | the body, if the form reads it | `request_timeout`, `payload_too_large`, `malformed` |
//! | | any other body must be empty | the same |
//! | 1 extract | the parts are found and decoded, in one way only | `malformed` |
//! | 2 keys | the tenant's keys are looked up; with none, step 3 tries a decoy | `unavailable`, `invalid` |
//! | 3 verify | each active key is tried, then the store's newer ones | `invalid`, `too_many_requests`, `unavailable` |
//! | 4 time | the window, by one reading of the clock | `expired`, `not_yet_valid`, `rejected_claims` |
//! | 5 claims | the payload is parsed; then your `map_claims` | `rejected_claims`, `invalid` |
//! | 6 cutoff | whether it is older than the replay store's startup cutoff | `replayed` |
//! | 7 replay | it is marked as used (*claimed*); of all duplicates one passes | `replayed`, `unavailable` |
//!
//! Then the credential is taken out of the request, the [`Identity`](crate::Identity) put in, and your handler called.
//! Before the last step, no store records the credential. Once its claims are accepted, its key counts as
//! [used](crate::keys::Key::when_used), also for a duplicate. [`Reason::step`](crate::rejection::Reason::step) tells
//! where a request ended: screen, read and every `too_many_requests` count as `extract`, the cutoff as `replay`.
//!
//! # What an unknown tenant costs
//!
//! The same as a known tenant with one key and a wrong signature: the same look-ups in the key store, then one check
//! with a key that nobody has (the *decoy*). The answer is the same to the byte. A request that names no tenant skips
//! the look-ups, which reveals nothing about any tenant.
//! [Two cases](crate::keys#what-a-forger-learns-of-a-tenant) still reveal that a tenant exists.
//!
//! # If the client hangs up
//!
//! The server then drops the request's future. So does a timeout outside the layer. A *delivery* is a webhook, or
//! whatever form is [`Idempotent`](crate::form::Usage::Idempotent).
//!
//! | it breaks off | a sign-in link | a delivery |
//! |---|---|---|
//! | before the replay store is asked | is not used up | is not marked as used: a retry passes |
//! | before the store has answered | may be used up, as the store may have recorded it | is released: a retry passes |
//! | while the handler runs | is used up; the handler is cancelled | the handler is cancelled; a retry passes |
//! | after the handler succeeded, while the store is told | does not apply | counts as processed; a task goes on |
//! | after that | is used up | counts as processed: a duplicate gets 200 while the store remembers it |
//!
//! - A delivery's handler can be cancelled half way and called again by the retry. Do what must not happen twice in one
//!   transaction that also stores [`Identity::fingerprint`](crate::Identity::fingerprint), and skip it if the
//!   fingerprint is already there. A spawned task is not cancelled, but the retry spawns a second one.
//! - Between the store's answer and the call of your handler nothing is awaited. If the store answers so late that the
//!   claim no longer counts, the answer is `unavailable` or `replayed`: a delivery is released, a sign-in link stays
//!   used up.
//! - If the store does not answer at once, releasing a delivery continues in the background. If it fails, a retry must
//!   wait until the lease ends.
//! - If the store cannot be told that a delivery was processed (*settled*), the layer tries again until the lease ends,
//!   and then logs an `ERROR`.
