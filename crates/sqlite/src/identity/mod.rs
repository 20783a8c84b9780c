//! Identity on SQLite.

mod guesses;
mod keys;
mod sessions;
mod users;

use crate::store::Store;
use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::{KeyId, SessionId, Timestamp, UserId};
use mainstay_core::identity::{
    ChallengeRow, Digest, Guess, GuessRule, IdentityStore, InsertKey, InsertUser, Inserted, KeyRow, OpenSession,
    ReplaceUser, Replaced, SessionRow, Use, Versioned,
};
use std::sync::Arc;

/// Identity in a store.
pub(crate) struct SqliteIdentity {
    store: Arc<Store>,
}

impl SqliteIdentity {
    /// The identity of a store.
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

#[async_trait]
impl IdentityStore for SqliteIdentity {
    async fn insert_user(&self, insert: InsertUser) -> Result<Inserted> {
        self.store.write(move |connection, _| users::insert(connection, &insert)).await
    }

    async fn user(&self, id: &UserId) -> Result<Option<Versioned>> {
        let id = id.clone();
        self.store.read(move |connection| users::find(connection, &id)).await
    }

    async fn user_by_name(&self, name_key: &str) -> Result<Option<(UserId, Versioned)>> {
        let name_key = name_key.to_owned();
        self.store.read(move |connection| users::find_by_name(connection, &name_key)).await
    }

    async fn users(&self) -> Result<Vec<(UserId, Versioned)>> {
        self.store.read(users::list).await
    }

    async fn replace_user(&self, replace: ReplaceUser) -> Result<Replaced> {
        self.store.write(move |connection, _| users::replace(connection, &replace)).await
    }

    async fn remove_user(&self, id: &UserId) -> Result<bool> {
        let id = id.clone();
        self.store.write(move |connection, _| users::remove(connection, &id)).await
    }

    async fn seal_keys(&self) -> Result<Vec<String>> {
        self.store.read(users::seal_keys).await
    }

    async fn open_session(&self, open: OpenSession) -> Result<bool> {
        self.store.write(move |connection, _| sessions::open(connection, &open)).await
    }

    async fn use_session(&self, token: &Digest, r#use: Use) -> Result<Option<(SessionRow, Versioned)>> {
        let read = token.clone();
        let found = self.store.read(move |connection| sessions::find(connection, &read, r#use)).await?;
        let Some((row, _)) = &found else { return Ok(None) };
        if r#use.now.as_millis() - row.used_at.as_millis() < r#use.record_after_ms {
            return Ok(found);
        }
        // The step that records the use looks again: what ended meanwhile is not brought back.
        let token = token.clone();
        self.store.write(move |connection, _| sessions::record_use(connection, &token, r#use)).await
    }

    async fn sessions(&self, user: &UserId, r#use: Use) -> Result<Vec<SessionRow>> {
        let user = user.clone();
        self.store.read(move |connection| sessions::list(connection, &user, r#use)).await
    }

    async fn end_session(&self, user: &UserId, session: &SessionId) -> Result<bool> {
        let (user, session) = (user.clone(), session.clone());
        self.store.write(move |connection, _| sessions::end(connection, &user, &session)).await
    }

    async fn end_sessions(&self, user: &UserId, except: Option<&SessionId>) -> Result<u32> {
        let (user, except) = (user.clone(), except.cloned());
        self.store.write(move |connection, _| sessions::end_all(connection, &user, except.as_ref())).await
    }

    async fn insert_key(&self, insert: InsertKey) -> Result<Inserted> {
        self.store.write(move |connection, _| keys::insert(connection, &insert)).await
    }

    async fn key(&self, id: &KeyId, used: Option<(&Digest, Use)>, now: Timestamp) -> Result<Option<KeyRow>> {
        let read = id.clone();
        let found = self.store.read(move |connection| keys::find(connection, &read, now)).await?;
        let (Some(row), Some((secret, r#use))) = (&found, used) else { return Ok(found) };
        let due = row.used_at.is_none_or(|at| now.as_millis() - at.as_millis() >= r#use.record_after_ms);
        if !due || row.secret != *secret {
            return Ok(found);
        }
        let (id, secret) = (id.clone(), secret.clone());
        self.store.write(move |connection, _| keys::record_use(connection, &id, &secret, now)).await
    }

    async fn keys(&self, now: Timestamp) -> Result<Vec<KeyRow>> {
        self.store.read(move |connection| keys::list(connection, now)).await
    }

    async fn remove_key(&self, id: &KeyId) -> Result<bool> {
        let id = id.clone();
        self.store.write(move |connection, _| keys::remove(connection, &id)).await
    }

    async fn guess(&self, account: &Digest, rule: GuessRule, now: Timestamp) -> Result<Guess> {
        let account = account.clone();
        self.store.write(move |connection, _| guesses::guess(connection, &account, rule, now)).await
    }

    async fn forgive(&self, account: &Digest) -> Result<()> {
        let account = account.clone();
        self.store.write(move |connection, _| guesses::forgive(connection, &account)).await
    }

    async fn put_challenge(&self, challenge: &Digest, row: ChallengeRow) -> Result<()> {
        let challenge = challenge.clone();
        self.store.write(move |connection, _| guesses::put_challenge(connection, &challenge, &row)).await
    }

    async fn answer(&self, challenge: &Digest, max_answers: u32, now: Timestamp) -> Result<Option<ChallengeRow>> {
        let challenge = challenge.clone();
        self.store.write(move |connection, _| guesses::answer(connection, &challenge, max_answers, now)).await
    }

    async fn end_challenge(&self, challenge: &Digest) -> Result<bool> {
        let challenge = challenge.clone();
        self.store.write(move |connection, _| guesses::end_challenge(connection, &challenge)).await
    }

    async fn purge(&self, now: Timestamp, limit: u32) -> Result<u32> {
        self.store.write(move |connection, _| guesses::purge(connection, now, limit)).await
    }
}
