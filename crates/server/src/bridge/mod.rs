//! The HTTP bridge of the founding system: backends that call it go on unchanged.

pub(crate) mod call;
mod key;
pub(crate) mod online;
pub(crate) mod stats;

pub(crate) use key::with_bridge_key;
