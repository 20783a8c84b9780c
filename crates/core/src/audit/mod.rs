//! The audit trail: who did what to which thing, in chains that cannot be changed without a trace.

mod hash;
mod lanes;
mod port;
mod record;
mod service;

pub use hash::Hash;
pub use port::{Append, Appended, AuditStore, ChainState, Head, Order, PageQuery, Sealed, Trim, Trimmed};
pub use record::{Record, seal};
pub use service::{AuditRules, AuditService, Recorded};
