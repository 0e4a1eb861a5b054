//! Empty: the bench is in `peers.rs`.
