//! Relying-party verification for tower.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub mod axum;
pub mod body;
pub mod clock;
pub mod config;
#[cfg(any(feature = "fernet", feature = "webhook"))]
mod encoding;
#[cfg(feature = "fernet")]
pub mod fernet;
pub mod form;
pub mod future;
pub mod identity;
#[cfg(any(feature = "fernet", feature = "webhook"))]
mod json;
pub mod keys;
pub mod layer;
#[cfg(feature = "webhook")]
mod mac;
mod map;
pub mod observe;
mod pipeline;
mod proof;
#[cfg(all(feature = "fernet", feature = "webhook"))]
pub mod providers;
pub mod query;
pub mod rejection;
pub mod replay;
pub mod service;
#[cfg(feature = "sign")]
#[cfg_attr(docsrs, doc(cfg(feature = "sign")))]
pub mod sign;
pub mod store;
pub mod tenant;
#[cfg(feature = "webhook")]
pub mod webhook;
pub mod window;
