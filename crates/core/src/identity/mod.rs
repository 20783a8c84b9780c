//! Users, API keys and sessions of this installation.

mod password;
mod port;
mod record;
mod refusals;
mod service;
mod tokens;

pub use port::{
    ChallengeRow, Digest, EndSessions, Guess, GuessRule, IdentityStore, InsertKey, InsertUser, Inserted, KeyRow,
    OpenSession, ReplaceUser, Replaced, SessionRow, Use, Versioned,
};
pub use service::{Attempt, IdentityRules, IdentityService, Purpose, Visitor};
