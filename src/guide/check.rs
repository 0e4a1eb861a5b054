//! What happens to one request, step by step? What remains if the client hangs up?
//!
//! # The steps
//!
//! | step | what is done | refused as |
//! |---|---|---|
//! | screen | method, marks of a prefetch, content type; is there a credential? | `malformed`, 405, 415, 425, 429 |
//! | read | the body, if it is signed or holds the credential; else it must be empty | 408, 413; `malformed` |
//! | 1 extract | the parts are found and decoded, in one way only | `malformed` |
//! | 2 keys | the tenant's keys are looked up; with none, step 3 tries a decoy | `unavailable`, `invalid` |
//! | 3 verify | each active key is tried; if none fits, the store is asked for newer ones | `invalid`, 429, 503 |
//! | 4 time | the window, by one reading of the clock | `expired`, `not_yet_valid`, `rejected_claims` |
//! | 5 claims | the payload is parsed; then your `map_claims` | `rejected_claims`, `invalid` |
//! | 6 cutoff | whether it is older than the replay store's startup cutoff | `replayed` |
//! | 7 replay | the store is asked to claim it; of all duplicates one passes | `replayed`, `unavailable` |
//!
//! Then the credential is taken out of the request, the [`Identity`](crate::Identity) put in, and your handler called.
//! Before the last step, no store records the credential. Once its claims are accepted, its key counts as
//! [used](crate::keys::Key::when_used), also for a duplicate. [`Reason::step`](crate::rejection::Reason::step) tells
//! where a request ended: screen and read count as `extract`, the cutoff as `replay`.
//!
//! # What an unknown tenant costs
//!
//! As much as one that has a single key and a wrong signature: the same look-ups in the key store, and one check with a
//! decoy key. The answer is the same to the byte. [Two cases](crate::keys#what-a-forger-learns-of-a-tenant) still
//! reveal that a tenant exists.
//!
//! # If the client hangs up
//!
//! The server then drops the request's future. So does a timeout outside the layer. A *delivery* is a webhook, or
//! whatever form is [`Idempotent`](crate::form::Usage::Idempotent).
//!
//! | it breaks off | a sign-in link | a delivery |
//! |---|---|---|
//! | before the replay store is asked | is not used up | is not claimed: a retry passes |
//! | before the store has answered | may be used up, as the store may have recorded it | is released: a retry passes |
//! | while the handler runs | is used up; the handler is cancelled | the handler is cancelled; a retry passes |
//! | while the delivery is being settled | does not apply | counts as processed; a task tells the store |
//! | after that | is used up | counts as processed: a duplicate gets 200 |
//!
//! - A delivery's handler can be cancelled half way and called again by the retry. What must not happen twice goes into
//!   one transaction, or into a task of its own.
//! - Between the store's answer and the call of your handler nothing is awaited. If the store answers so late that the
//!   claim no longer counts, the answer is `unavailable` or `replayed`: a delivery is released, a sign-in link stays
//!   used up.
//! - A release also goes on in a task if the store does not answer at once. If it fails, a retry has to wait until the
//!   lease ends.
//! - A processed delivery that could not be settled is settled again until its lease ends, and then logged at `ERROR`.
