//! What launches say, as far as their platforms document it. Without a field here, read the launch into a type of your
//! own.

#[cfg(feature = "jwt")]
mod calls;
#[cfg(feature = "oauth1")]
mod links;
#[cfg(feature = "signed-parameters")]
mod parameters;
#[cfg(any(feature = "sealed", feature = "signed-payload"))]
mod payloads;
#[cfg(feature = "jwt")]
mod tokens;

#[cfg(feature = "jwt")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
pub use calls::*;
#[cfg(feature = "oauth1")]
#[cfg_attr(docsrs, doc(cfg(feature = "oauth1")))]
pub use links::*;
#[cfg(feature = "signed-parameters")]
#[cfg_attr(docsrs, doc(cfg(feature = "signed-parameters")))]
pub use parameters::*;
#[cfg(any(feature = "sealed", feature = "signed-payload"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "sealed", feature = "signed-payload"))))]
pub use payloads::*;
#[cfg(feature = "jwt")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
pub use tokens::*;
