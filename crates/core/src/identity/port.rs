//! What identity needs from a store.

use crate::error::Result;
use async_trait::async_trait;
use bytes::Bytes;
use mainstay_api::{KeyId, SessionId, Timestamp, UserId};

/// A SHA-256 of something secret, as 64 hexadecimal digits: what stores keep in its place.
pub type Digest = String;

/// A record and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned {
    /// Grows with every change.
    pub version: u64,
    /// The record, opaque to the store.
    pub document: Bytes,
}

/// A user to add.
#[derive(Debug, Clone)]
pub struct InsertUser {
    /// The id.
    pub id: UserId,
    /// The name in the form in which names are compared.
    pub name_key: String,
    /// The record, opaque to the store.
    pub document: Bytes,
    /// Most users.
    pub max_users: u32,
}

/// What became of a new user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It stands.
    Inserted,
    /// The name, or the id, is taken.
    Taken,
    /// There are as many as there may be.
    Full,
}

/// Which sessions of a user end with a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndSessions {
    /// None.
    None,
    /// All.
    All,
    /// All but this one, whose token is replaced: the old one is dead in the same step.
    Rotate {
        /// The session that stays.
        session: SessionId,
        /// The digest of its new token.
        token: Digest,
    },
}

/// A change of a user.
#[derive(Debug, Clone)]
pub struct ReplaceUser {
    /// Who.
    pub id: UserId,
    /// The version that was read.
    pub expected: u64,
    /// The new record.
    pub document: Bytes,
    /// The key that something in the record is sealed with.
    pub seal_key: Option<String>,
    /// Which sessions end.
    pub sessions: EndSessions,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// It stands, under this version.
    Replaced(u64),
    /// The record has another version.
    Conflict,
    /// There is no such record, or the session that was to stay is gone.
    NotFound,
}

/// A session to begin.
#[derive(Debug, Clone)]
pub struct OpenSession {
    /// The digest of its token.
    pub token: Digest,
    /// The row.
    pub row: SessionRow,
    /// The version of the user that logged in: where the user was changed since, there is no session.
    pub user_version: u64,
    /// Most sessions of the user; beyond it the oldest ends.
    pub max_sessions: u32,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used.
    pub used_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// The address that it was begun from.
    pub from: Option<String>,
    /// The program that began it.
    pub agent: Option<String>,
}

/// A use of a session, or of a key.
#[derive(Debug, Clone, Copy)]
pub struct Use {
    /// The present.
    pub now: Timestamp,
    /// Silence after which a session has ended, in milliseconds.
    pub idle_ms: i64,
    /// How much later than the last recorded use this one must be to be recorded, in milliseconds.
    pub record_after_ms: i64,
}

/// A key to add.
#[derive(Debug, Clone)]
pub struct InsertKey {
    /// The id.
    pub id: KeyId,
    /// The digest of its secret.
    pub secret: Digest,
    /// The record, opaque to the store.
    pub document: Bytes,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it is made.
    pub now: Timestamp,
    /// Most keys.
    pub max_keys: u32,
}

/// An API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// The id.
    pub id: KeyId,
    /// The digest of its secret.
    pub secret: Digest,
    /// The record.
    pub document: Bytes,
    /// When it was last used.
    pub used_at: Option<Timestamp>,
}

/// Bounds on guessing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuessRule {
    /// Guesses before the account is locked.
    pub free: u32,
    /// The first lock, in milliseconds; each further guess doubles it.
    pub first_lock_ms: i64,
    /// The longest lock, in milliseconds.
    pub max_lock_ms: i64,
    /// How long guesses are remembered, in milliseconds.
    pub memory_ms: i64,
}

/// What became of a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guess {
    /// It may be looked at, and counts.
    Allowed,
    /// The account is locked until then.
    Locked(Timestamp),
}

/// A login that waits for its second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChallengeRow {
    /// Whose it is.
    pub user: UserId,
    /// The name under which guesses of the account are counted.
    pub account: Digest,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Identity in a store: users, API keys, sessions, and what is counted against guessing. All of it is one aggregate:
/// every method is one atomic step, and such steps are totally ordered.
#[async_trait]
pub trait IdentityStore: Send + Sync {
    /// Adds a user whose name nobody has.
    async fn insert_user(&self, insert: InsertUser) -> Result<Inserted>;

    /// A user by id.
    async fn user(&self, id: &UserId) -> Result<Option<Versioned>>;

    /// A user by the form of the name in which names are compared.
    async fn user_by_name(&self, name_key: &str) -> Result<Option<(UserId, Versioned)>>;

    /// Every user, in any order.
    async fn users(&self) -> Result<Vec<(UserId, Versioned)>>;

    /// Replaces a user where the version is the expected one, and ends sessions in the same step.
    async fn replace_user(&self, replace: ReplaceUser) -> Result<Replaced>;

    /// Removes a user with every session. Returns whether there was one.
    async fn remove_user(&self, id: &UserId) -> Result<bool>;

    /// The ids of the keys that records of users are sealed with.
    async fn seal_keys(&self) -> Result<Vec<String>>;

    /// Begins a session where the user has the version that logged in. Returns whether it stands.
    async fn open_session(&self, open: OpenSession) -> Result<bool>;

    /// The session of a token and its user, where it has not ended; records the use. One that has ended is never
    /// brought back by it.
    async fn use_session(&self, token: &Digest, r#use: Use) -> Result<Option<(SessionRow, Versioned)>>;

    /// The sessions of a user that have not ended, the newest first.
    async fn sessions(&self, user: &UserId, r#use: Use) -> Result<Vec<SessionRow>>;

    /// Ends a session of a user. Returns whether there was one.
    async fn end_session(&self, user: &UserId, session: &SessionId) -> Result<bool>;

    /// Ends the sessions of a user, but for one where it is named. Returns how many.
    async fn end_sessions(&self, user: &UserId, except: Option<&SessionId>) -> Result<u32>;

    /// Adds an API key.
    async fn insert_key(&self, insert: InsertKey) -> Result<Inserted>;

    /// A key that has not ended; records the use where one is given and the secret is right.
    async fn key(&self, id: &KeyId, used: Option<(&Digest, Use)>, now: Timestamp) -> Result<Option<KeyRow>>;

    /// Every key that has not ended, in any order.
    async fn keys(&self, now: Timestamp) -> Result<Vec<KeyRow>>;

    /// Removes a key. Returns whether there was one.
    async fn remove_key(&self, id: &KeyId) -> Result<bool>;

    /// Counts a guess at a secret of an account before anybody looks at it, or says that the account is locked. The
    /// account need not exist.
    async fn guess(&self, account: &Digest, rule: GuessRule, now: Timestamp) -> Result<Guess>;

    /// Forgets the guesses at an account, after one was right.
    async fn forgive(&self, account: &Digest) -> Result<()>;

    /// Remembers a challenge.
    async fn put_challenge(&self, challenge: &Digest, row: ChallengeRow) -> Result<()>;

    /// Counts an answer to a challenge before anybody looks at it; `None` where the challenge has ended, or was answered
    /// as often as it may be.
    async fn answer(&self, challenge: &Digest, max_answers: u32, now: Timestamp) -> Result<Option<ChallengeRow>>;

    /// Ends a challenge. Returns whether this call did it: of several at once, one.
    async fn end_challenge(&self, challenge: &Digest) -> Result<bool>;

    /// Deletes what has ended, at most `limit` of each kind. Returns how much.
    async fn purge(&self, now: Timestamp, limit: u32) -> Result<u32>;
}
