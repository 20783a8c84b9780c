//! How the store stands, and the journal of this node.

pub(crate) mod journal;
pub(crate) mod legacy;
mod looking;
mod status;

pub(crate) use status::*;

pub use looking::OutageLook;
