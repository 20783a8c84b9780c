//! The endpoints of events.

pub(crate) mod consumer_lag;
pub(crate) mod dead;
pub(crate) mod groups;
pub(crate) mod health;
pub(crate) mod legacy;
pub(crate) mod node;
pub(crate) mod publish;
mod publishing;
pub(crate) mod read;
pub(crate) mod rooms;
pub(crate) mod set_transport;
mod socket;
pub(crate) mod sse;
pub(crate) mod streams;
pub(crate) mod transport;
mod typing;
pub(crate) mod work;
pub(crate) mod ws;

pub(crate) use publishing::{Publisher, Way};
pub(crate) use typing::{Coalesced, Coalescer, Passing};
