//! Credentials of providers: sealed, replaced by compare and set, and refreshed by one node at a time.
//!
//! *Invariant:* a credential has no end of its own: what expires is the access token in it, and a refresh token is kept
//! until it is replaced, or somebody removes it.
//!
//! *Invariant:* a refresh is written where the version that was refreshed still stands, whoever holds the lease by then: a
//! refresh token that was used is worth nothing, and its successor must not be lost.

mod authorizer;
mod clients;
mod expiry;
mod members;
mod parse;
mod port;
mod refusals;
mod service;

pub use authorizer::{
    AnswerFields, Authorizer, ClientAuth, NoAuthorizer, OAuthClient, RefreshRefusal, RefreshRequest, RequestFields,
    Style,
};
pub use clients::SettingsClients;
pub use expiry::parse_expiry;
pub use parse::{Expires, Issued, TokenText, seconds};
pub use port::{
    BeginRefresh, Begun, CredentialOutcome, CredentialRecord, CredentialStore, DueCredential, FailRefresh,
    FinishRefresh, ListDue, PutCredential, RefreshEnd, RefreshStanding, ResealCredential,
};
pub use service::{
    Bearer, ClientSource, NoClients, Ran, Refreshed, TokenCounts, TokenParts, TokenRules, TokenService, Whose,
    WrittenCredential,
};
