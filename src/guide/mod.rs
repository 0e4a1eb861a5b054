//! The guide: how to integrate a partner, and what to watch for.
//!
//! | chapter | when |
//! |---|---|
//! | [`stacking`] | next to other middleware; answers that the layer does not seal; mailed links; session cookies |

pub mod stacking;
