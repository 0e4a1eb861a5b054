//! What holds for every form: the contract, the order of a check, and the layer's place in a service.

mod bodies;
mod contract;
mod facts;
mod form_types;
mod http2;
mod key_slips;
mod landing;
#[cfg(feature = "metrics")]
mod meters;
mod received;
mod rehearsal;
mod reuse;
mod robust;
mod schedules;
mod secrets;
mod settling;
mod spans;
mod stack;
mod stacking;
mod steps;
#[path = "../support/mod.rs"]
mod support;
mod tenants;
mod unsigned;
