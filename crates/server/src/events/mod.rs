//! The endpoints of events.

pub(crate) mod publish;
pub(crate) mod publishing;
pub(crate) mod read;
pub(crate) mod rooms;
pub(crate) mod set_transport;
pub(crate) mod streams;
pub(crate) mod transport;
