//! The endpoints of events.

pub(crate) mod consumer_lag;
pub(crate) mod dead;
pub(crate) mod groups;
pub(crate) mod health;
pub(crate) mod publish;
pub(crate) mod publishing;
pub(crate) mod read;
pub(crate) mod rooms;
pub(crate) mod set_transport;
pub(crate) mod streams;
pub(crate) mod transport;
pub(crate) mod work;
