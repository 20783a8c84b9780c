//! The endpoints of the audit trail.

pub(crate) mod chains;
pub(crate) mod checkpoint;
pub(crate) mod export;
pub(crate) mod key;
pub(crate) mod list;
pub(crate) mod stored;
pub(crate) mod trim;
pub(crate) mod verify;
