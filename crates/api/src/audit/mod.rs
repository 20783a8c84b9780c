//! The audit trail: entries, the chains they form, and what a verification finds.

mod chain;
mod entry;
mod listing;
mod report;

pub use chain::{AuditChain, AuditChains, ChainId};
pub use entry::{AuditClass, AuditEntry, AuditOutcome, AuditResource, GENESIS};
pub use listing::{
    AuditFormat, ExportAudit, ListAudit, ListChains, MAX_ENTRIES, ReadStored, StoredEntries, StoredEntry,
};
pub use report::{AuditKey, ChainReport, CheckpointMade, Finding, FindingKind, TrimReport, VerifyAudit, VerifyReport};
