//! The journal of this node.

mod discard;
mod list;
mod replay;

pub(crate) use discard::*;
pub(crate) use list::*;
pub(crate) use replay::*;
