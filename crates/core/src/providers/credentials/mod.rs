//! Credentials of providers: sealed, replaced by compare and set, and refreshed by one node at a time.
//!
//! *Invariant:* a credential has no end of its own: what expires is the access token in it, and a refresh token is kept
//! until it is replaced, or somebody removes it.
//!
//! *Invariant:* a refresh is written where the version that was refreshed still stands, whoever holds the lease by then: a
//! refresh token that was used is worth nothing, and its successor must not be lost.

mod port;

pub use port::{
    BeginRefresh, Begun, CredentialOutcome, CredentialRecord, CredentialStore, DueCredential, FailRefresh,
    FinishRefresh, PutCredential, RefreshEnd, RefreshStanding,
};
