//! The audit trail: who did what to which thing, in chains that cannot be changed without a trace.

mod checkpoint;
mod fhir;
mod hash;
mod keys;
mod lanes;
mod ledger;
mod ocsf;
mod port;
mod record;
mod service;
mod verify;
mod walk;

pub use checkpoint::{Anchor, Checkpoint, Lines, Notary, TrimStatement};
pub use hash::Hash;
pub use keys::{PublicKey, Signed, Signer, Statement};
pub use port::{Append, Appended, AuditStore, ChainState, Head, Order, PageQuery, Sealed, Trim, Trimmed};
pub use record::{Record, Stamp, seal};
pub use service::{AuditRules, AuditService, Recorded};
pub use verify::{Trail, Verification};
