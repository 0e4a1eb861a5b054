//! See `peers.rs`, the bench.
