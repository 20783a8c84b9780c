//! The endpoints of consumers.

pub(crate) mod acknowledge;
pub(crate) mod bury;
pub(crate) mod keep;
pub(crate) mod release;
pub(crate) mod take;
