//! The port of identity on the model.

use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::{KeyId, SessionId, Timestamp, UserId};
use mainstay_core::identity::{
    ChallengeRow, Digest, EndSessions, Guess, GuessRule, IdentityStore, InsertKey, InsertUser, Inserted, KeyRow,
    OpenSession, ReplaceUser, Replaced, SessionRow, Use, Versioned,
};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

struct User {
    name_key: String,
    row: Versioned,
    seal_key: Option<String>,
}

struct Key {
    row: KeyRow,
    expires_at: Option<Timestamp>,
}

#[derive(Clone, Copy)]
struct Guesses {
    count: u32,
    locked_until: Timestamp,
    forget_at: Timestamp,
}

#[derive(Default)]
struct State {
    users: BTreeMap<UserId, User>,
    keys: BTreeMap<KeyId, Key>,
    sessions: BTreeMap<Digest, SessionRow>,
    guesses: BTreeMap<Digest, Guesses>,
    challenges: BTreeMap<Digest, (ChallengeRow, u32)>,
}

/// Identity in memory: one lock around everything.
#[derive(Default)]
pub(super) struct ModelIdentity(Mutex<State>);

impl ModelIdentity {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn end_sessions(&mut self, user: &UserId, except: Option<&SessionId>) -> u32 {
        let before = self.sessions.len();
        self.sessions.retain(|_, row| row.user != *user || except == Some(&row.id));
        u32::try_from(before - self.sessions.len()).unwrap_or(u32::MAX)
    }

    fn token_of(&self, user: &UserId, session: &SessionId) -> Option<Digest> {
        let found = self.sessions.iter().find(|(_, row)| row.user == *user && row.id == *session);
        found.map(|(token, _)| token.clone())
    }
}

fn has_ended(row: &SessionRow, r#use: Use) -> bool {
    let idle = r#use.now.as_millis() - row.used_at.as_millis() >= r#use.idle_ms;
    idle || row.expires_at <= r#use.now
}

#[async_trait]
impl IdentityStore for ModelIdentity {
    async fn insert_user(&self, insert: InsertUser) -> Result<Inserted> {
        let mut state = self.lock();
        let taken = state.users.iter().any(|(id, user)| *id == insert.id || user.name_key == insert.name_key);
        if taken {
            return Ok(Inserted::Taken);
        }
        if state.users.len() >= insert.max_users as usize {
            return Ok(Inserted::Full);
        }
        let row = Versioned { version: 1, document: insert.document };
        state.users.insert(insert.id, User { name_key: insert.name_key, row, seal_key: None });
        Ok(Inserted::Inserted)
    }

    async fn user(&self, id: &UserId) -> Result<Option<Versioned>> {
        Ok(self.lock().users.get(id).map(|user| user.row.clone()))
    }

    async fn user_by_name(&self, name_key: &str) -> Result<Option<(UserId, Versioned)>> {
        let state = self.lock();
        let found = state.users.iter().find(|(_, user)| user.name_key == name_key);
        Ok(found.map(|(id, user)| (id.clone(), user.row.clone())))
    }

    async fn users(&self) -> Result<Vec<(UserId, Versioned)>> {
        Ok(self.lock().users.iter().map(|(id, user)| (id.clone(), user.row.clone())).collect())
    }

    async fn replace_user(&self, replace: ReplaceUser) -> Result<Replaced> {
        let mut state = self.lock();
        let Some(version) = state.users.get(&replace.id).map(|user| user.row.version) else {
            return Ok(Replaced::NotFound);
        };
        if version != replace.expected {
            return Ok(Replaced::Conflict);
        }
        match replace.sessions {
            EndSessions::None => {}
            EndSessions::All => drop(state.end_sessions(&replace.id, None)),
            EndSessions::Rotate { session, token } => {
                let Some(old) = state.token_of(&replace.id, &session) else { return Ok(Replaced::NotFound) };
                state.end_sessions(&replace.id, Some(&session));
                if let Some(row) = state.sessions.remove(&old) {
                    state.sessions.insert(token, row);
                }
            }
        }
        if let Some(user) = state.users.get_mut(&replace.id) {
            user.row = Versioned { version: version + 1, document: replace.document };
            user.seal_key = replace.seal_key;
        }
        Ok(Replaced::Replaced(version + 1))
    }

    async fn remove_user(&self, id: &UserId) -> Result<bool> {
        let mut state = self.lock();
        state.end_sessions(id, None);
        Ok(state.users.remove(id).is_some())
    }

    async fn seal_keys(&self) -> Result<Vec<String>> {
        let mut keys: Vec<String> = self.lock().users.values().filter_map(|user| user.seal_key.clone()).collect();
        keys.sort();
        keys.dedup();
        Ok(keys)
    }

    async fn open_session(&self, open: OpenSession) -> Result<bool> {
        let mut state = self.lock();
        let user = open.row.user.clone();
        if state.users.get(&user).is_none_or(|found| found.row.version != open.user_version) {
            return Ok(false);
        }
        state.sessions.insert(open.token, open.row);
        let mut own: Vec<(Timestamp, Digest)> = state
            .sessions
            .iter()
            .filter(|(_, row)| row.user == user)
            .map(|(token, row)| (row.created_at, token.clone()))
            .collect();
        own.sort();
        let surplus = own.len().saturating_sub(open.max_sessions as usize);
        for (_, token) in own.into_iter().take(surplus) {
            state.sessions.remove(&token);
        }
        Ok(true)
    }

    async fn use_session(&self, token: &Digest, r#use: Use) -> Result<Option<(SessionRow, Versioned)>> {
        let mut state = self.lock();
        let Some(row) = state.sessions.get_mut(token) else { return Ok(None) };
        if has_ended(row, r#use) {
            return Ok(None);
        }
        if r#use.now.as_millis() - row.used_at.as_millis() >= r#use.record_after_ms {
            row.used_at = r#use.now;
        }
        let row = row.clone();
        Ok(state.users.get(&row.user).map(|user| (row, user.row.clone())))
    }

    async fn sessions(&self, user: &UserId, r#use: Use) -> Result<Vec<SessionRow>> {
        let state = self.lock();
        let own = state.sessions.values().filter(|row| row.user == *user && !has_ended(row, r#use));
        let mut rows: Vec<SessionRow> = own.cloned().collect();
        rows.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id)));
        Ok(rows)
    }

    async fn end_session(&self, user: &UserId, session: &SessionId) -> Result<bool> {
        let mut state = self.lock();
        let token = state.token_of(user, session);
        Ok(token.is_some_and(|token| state.sessions.remove(&token).is_some()))
    }

    async fn end_sessions(&self, user: &UserId, except: Option<&SessionId>) -> Result<u32> {
        Ok(self.lock().end_sessions(user, except))
    }

    async fn insert_key(&self, insert: InsertKey) -> Result<Inserted> {
        let mut state = self.lock();
        if state.keys.contains_key(&insert.id) {
            return Ok(Inserted::Taken);
        }
        let valid = |key: &&Key| key.expires_at.is_none_or(|at| at > insert.now);
        if state.keys.values().filter(valid).count() >= insert.max_keys as usize {
            return Ok(Inserted::Full);
        }
        let row = KeyRow { id: insert.id.clone(), secret: insert.secret, document: insert.document, used_at: None };
        state.keys.insert(insert.id, Key { row, expires_at: insert.expires_at });
        Ok(Inserted::Inserted)
    }

    async fn key(&self, id: &KeyId, used: Option<(&Digest, Use)>, now: Timestamp) -> Result<Option<KeyRow>> {
        let mut state = self.lock();
        let Some(key) = state.keys.get_mut(id).filter(|key| key.expires_at.is_none_or(|at| at > now)) else {
            return Ok(None);
        };
        if let Some((secret, r#use)) = used.filter(|(secret, _)| **secret == key.row.secret) {
            let _same = secret;
            let due = key.row.used_at.is_none_or(|at| now.as_millis() - at.as_millis() >= r#use.record_after_ms);
            if due {
                key.row.used_at = Some(now);
            }
        }
        Ok(Some(key.row.clone()))
    }

    async fn keys(&self, now: Timestamp) -> Result<Vec<KeyRow>> {
        let state = self.lock();
        let valid = state.keys.values().filter(|key| key.expires_at.is_none_or(|at| at > now));
        Ok(valid.map(|key| key.row.clone()).collect())
    }

    async fn remove_key(&self, id: &KeyId) -> Result<bool> {
        Ok(self.lock().keys.remove(id).is_some())
    }

    async fn guess(&self, account: &Digest, rule: GuessRule, now: Timestamp) -> Result<Guess> {
        let mut state = self.lock();
        let later = |millis: i64| Timestamp::from_millis(now.as_millis().saturating_add(millis));
        let known = state.guesses.get(account).copied().filter(|guesses| guesses.forget_at > now);
        let mut guesses = known.unwrap_or(Guesses { count: 0, locked_until: now, forget_at: now });
        if guesses.locked_until > now {
            return Ok(Guess::Locked(guesses.locked_until));
        }
        guesses.count += 1;
        if guesses.count >= rule.free {
            let doublings = (guesses.count - rule.free).min(30);
            let lock_ms = rule.first_lock_ms.saturating_mul(1 << doublings).min(rule.max_lock_ms);
            guesses.locked_until = later(lock_ms);
        }
        guesses.forget_at = later(rule.memory_ms);
        state.guesses.insert(account.clone(), guesses);
        Ok(Guess::Allowed)
    }

    async fn forgive(&self, account: &Digest) -> Result<()> {
        self.lock().guesses.remove(account);
        Ok(())
    }

    async fn put_challenge(&self, challenge: &Digest, row: ChallengeRow) -> Result<()> {
        self.lock().challenges.insert(challenge.clone(), (row, 0));
        Ok(())
    }

    async fn answer(&self, challenge: &Digest, max_answers: u32, now: Timestamp) -> Result<Option<ChallengeRow>> {
        let mut state = self.lock();
        let Some((row, answers)) = state.challenges.get_mut(challenge) else { return Ok(None) };
        if row.expires_at <= now || *answers >= max_answers {
            return Ok(None);
        }
        *answers += 1;
        Ok(Some(row.clone()))
    }

    async fn end_challenge(&self, challenge: &Digest) -> Result<bool> {
        Ok(self.lock().challenges.remove(challenge).is_some())
    }

    async fn purge(&self, now: Timestamp, limit: u32) -> Result<u32> {
        let mut state = self.lock();
        let mut gone = 0;
        let ended: Vec<Digest> = state
            .sessions
            .iter()
            .filter(|(_, row)| row.expires_at <= now)
            .map(|(token, _)| token.clone())
            .take(limit as usize)
            .collect();
        for token in ended {
            gone += u32::from(state.sessions.remove(&token).is_some());
        }
        state.keys.retain(|_, key| key.expires_at.is_none_or(|at| at > now));
        state.guesses.retain(|_, guesses| guesses.forget_at > now);
        state.challenges.retain(|_, (row, _)| row.expires_at > now);
        Ok(gone)
    }
}
