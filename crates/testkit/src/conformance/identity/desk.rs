//! What the cases of identity write with: short words for long structures, and names that nobody else uses, as identity
//! is one for the whole store.

use crate::conformance::Bed;
use bytes::Bytes;
use mainstay_core::api::{KeyId, SessionId, Timestamp, UserId};
use mainstay_core::identity::{
    Digest, EndSessions, IdentityStore, InsertKey, InsertUser, Inserted, OpenSession, ReplaceUser, Replaced,
    SessionRow, Use,
};
use mainstay_core::text::hex;
use mainstay_core::{Mint, RandomMint};
use std::sync::Arc;

/// Silence after which a session has ended.
pub(super) const IDLE_MS: i64 = 60_000;
/// Longest life of a session.
pub(super) const LIFE_MS: i64 = 600_000;

/// A desk with names of its own.
#[derive(Clone)]
pub(super) struct Desk {
    pub identity: Arc<dyn IdentityStore>,
    pub now: Timestamp,
}

impl Desk {
    pub fn new(bed: &Bed) -> Self {
        Self { identity: bed.stores().identity.clone(), now: bed.now() }
    }

    /// The same desk, later.
    pub fn later(&self, millis: i64) -> Self {
        Self { now: self.at(millis), ..self.clone() }
    }

    pub fn at(&self, millis: i64) -> Timestamp {
        Timestamp::from_millis(self.now.as_millis() + millis)
    }

    pub fn r#use(&self) -> Use {
        Use { now: self.now, idle_ms: IDLE_MS, record_after_ms: 1_000 }
    }

    /// A user with a name that nobody has.
    pub async fn user(&self, document: &str) -> UserId {
        let id = RandomMint.user_id();
        assert_eq!(self.insert(&id, id.as_str(), document).await, Inserted::Inserted);
        id
    }

    pub async fn insert(&self, id: &UserId, name: &str, document: &str) -> Inserted {
        let document = Bytes::from(document.to_owned());
        let insert = InsertUser { id: id.clone(), name_key: name.into(), document, max_users: u32::MAX };
        self.identity.insert_user(insert).await.expect("insert a user")
    }

    pub async fn replace(&self, id: &UserId, expected: u64, document: &str, sessions: EndSessions) -> Replaced {
        let document = Bytes::from(document.to_owned());
        let replace = ReplaceUser { id: id.clone(), expected, document, seal_key: None, sessions };
        self.identity.replace_user(replace).await.expect("replace a user")
    }

    /// A session that begins now; the version of the user is the one given.
    pub async fn open(&self, user: &UserId, version: u64) -> Option<(Digest, SessionId)> {
        let (token, id) = (digest(), RandomMint.session_id());
        let row = SessionRow {
            id: id.clone(),
            user: user.clone(),
            created_at: self.now,
            used_at: self.now,
            expires_at: self.at(LIFE_MS),
            from: Some("::1".into()),
            agent: None,
        };
        let open = OpenSession { token: token.clone(), row, user_version: version, max_sessions: 3 };
        self.identity.open_session(open).await.expect("open a session").then_some((token, id))
    }

    /// Whether a token stands for a session now; records the use.
    pub async fn stands(&self, token: &Digest) -> bool {
        self.identity.use_session(token, self.r#use()).await.expect("use a session").is_some()
    }

    pub async fn sessions(&self, user: &UserId) -> Vec<SessionRow> {
        self.identity.sessions(user, self.r#use()).await.expect("list the sessions")
    }

    pub async fn key(&self, id: &KeyId, secret: &Digest, expires_at: Option<Timestamp>) -> Inserted {
        let insert = InsertKey {
            id: id.clone(),
            secret: secret.clone(),
            document: Bytes::from_static(b"{\"name\":\"k\"}"),
            expires_at,
            now: self.now,
            max_keys: u32::MAX,
        };
        self.identity.insert_key(insert).await.expect("insert a key")
    }
}

/// A digest that nobody else has.
pub(super) fn digest() -> Digest {
    hex(&RandomMint.secret())
}
