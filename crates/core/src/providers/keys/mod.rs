//! Gateway keys: what those who ask may ask for, how much, and what they used.
//!
//! *Invariant:* what a request may cost is reserved before it is sent, and what it did cost is settled once; a reservation
//! that nobody settles stays counted.

mod port;

pub use port::{
    Admission, Admit, ChangeKey, CreateKey, KeyLimits, KeyOutcome, KeyRecord, KeyStore, ListUsage, Period, Refusal,
    Reserve, Settle, Spent, Tally, UsageRow,
};
