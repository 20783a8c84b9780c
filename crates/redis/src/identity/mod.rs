//! Identity on Redis.

mod rows;

use crate::connection::{Connection, Repeat, read};
use crate::keys::{Keys, encode};
use crate::scripts::{self, Script};
use async_trait::async_trait;
use mainstay_core::api::{KeyId, SessionId, Timestamp, UserId};
use mainstay_core::identity::{
    ChallengeRow, Digest, EndSessions, Guess, GuessRule, IdentityStore, InsertKey, InsertUser, Inserted, KeyRow,
    OpenSession, ReplaceUser, Replaced, SessionRow, Use, Versioned,
};
use mainstay_core::{Error, Result};
use redis::Value;
use rows::{Flat, key, session, user};
use std::sync::Arc;

/// Fields of a session in an answer.
const SESSION_FIELDS: usize = 7;

/// Identity in Redis.
pub(crate) struct RedisIdentity {
    connection: Arc<Connection>,
    key: String,
    base: String,
}

impl RedisIdentity {
    /// Identity over a connection.
    pub fn new(connection: Arc<Connection>, keys: &Keys) -> Self {
        Self { connection, key: keys.identity(), base: keys.identity_base() }
    }

    async fn run(&self, script: &Script, args: &[&[u8]], repeat: Repeat) -> Result<Value> {
        self.connection.script(script, &self.key, args, repeat).await
    }

    async fn flat(&self, script: &Script, args: &[&[u8]]) -> Result<Flat> {
        read(self.run(script, args, Repeat::Safe).await?, script.name)
    }

    /// The answer of a script that adds something.
    async fn inserted(&self, script: &Script, args: &[&[u8]]) -> Result<Inserted> {
        let word: String = read(self.run(script, args, Repeat::Never).await?, script.name)?;
        match word.as_str() {
            "inserted" => Ok(Inserted::Inserted),
            "taken" => Ok(Inserted::Taken),
            "full" => Ok(Inserted::Full),
            other => Err(Error::inconsistent(format!("{} answered {other:?}", script.name))),
        }
    }

    async fn count(&self, script: &Script, args: &[&[u8]]) -> Result<u32> {
        read(self.run(script, args, Repeat::Never).await?, script.name)
    }

    /// Deletes one key of the aggregate; whether it was there.
    async fn delete(&self, name: &str, repeat: Repeat) -> Result<bool> {
        let mut command = redis::cmd("DEL");
        command.arg(format!("{}{name}", self.base));
        let gone: u8 = read(self.connection.command("forget", &command, repeat).await?, "DEL")?;
        Ok(gone == 1)
    }
}

fn number(value: impl std::fmt::Display) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn millis(at: Timestamp) -> Vec<u8> {
    number(at.as_millis())
}

#[async_trait]
impl IdentityStore for RedisIdentity {
    async fn insert_user(&self, insert: InsertUser) -> Result<Inserted> {
        let (name, most) = (encode(&insert.name_key), number(insert.max_users));
        let args = [insert.id.as_str().as_bytes(), name.as_bytes(), &insert.document, &most];
        self.inserted(&scripts::IDENTITY_INSERT_USER, &args).await
    }

    async fn user(&self, id: &UserId) -> Result<Option<Versioned>> {
        let flat = self.flat(&scripts::IDENTITY_USER, &[id.as_str().as_bytes(), b""]).await?;
        Ok(user(&flat)?.map(|(_, row)| row))
    }

    async fn user_by_name(&self, name_key: &str) -> Result<Option<(UserId, Versioned)>> {
        let name = encode(name_key);
        user(&self.flat(&scripts::IDENTITY_USER, &[b"", name.as_bytes()]).await?)
    }

    async fn users(&self) -> Result<Vec<(UserId, Versioned)>> {
        let flat = self.flat(&scripts::IDENTITY_USERS, &[]).await?;
        flat.chunks_exact(3).filter_map(|part| user(part).transpose()).collect()
    }

    async fn replace_user(&self, replace: ReplaceUser) -> Result<Replaced> {
        let (expected, seal_key) = (number(replace.expected), replace.seal_key.unwrap_or_default());
        let (mode, session, token) = match &replace.sessions {
            EndSessions::None => ("none", "", ""),
            EndSessions::All => ("all", "", ""),
            EndSessions::Rotate { session, token } => ("rotate", session.as_str(), token.as_str()),
        };
        let args = [
            replace.id.as_str().as_bytes(),
            &expected,
            &replace.document,
            seal_key.as_bytes(),
            mode.as_bytes(),
            session.as_bytes(),
            token.as_bytes(),
        ];
        let script = &scripts::IDENTITY_REPLACE_USER;
        let answer: Flat = read(self.run(script, &args, Repeat::Never).await?, script.name)?;
        match answer.first().map(Vec::as_slice) {
            Some(b"replaced") => Ok(Replaced::Replaced(rows::number(answer.get(1))?)),
            Some(b"conflict") => Ok(Replaced::Conflict),
            Some(b"not_found") => Ok(Replaced::NotFound),
            _ => Err(Error::inconsistent(format!("{} answered {answer:?}", script.name))),
        }
    }

    async fn remove_user(&self, id: &UserId) -> Result<bool> {
        Ok(self.count(&scripts::IDENTITY_REMOVE_USER, &[id.as_str().as_bytes()]).await? == 1)
    }

    async fn seal_keys(&self) -> Result<Vec<String>> {
        let script = &scripts::IDENTITY_SEAL_KEYS;
        let mut keys: Vec<String> = read(self.run(script, &[], Repeat::Safe).await?, script.name)?;
        keys.sort();
        keys.dedup();
        Ok(keys)
    }

    async fn open_session(&self, open: OpenSession) -> Result<bool> {
        let row = &open.row;
        let (version, most) = (number(open.user_version), number(open.max_sessions));
        let (begins, ends) = (millis(row.created_at), millis(row.expires_at));
        let args = [
            open.token.as_bytes(),
            row.user.as_str().as_bytes(),
            &version,
            row.id.as_str().as_bytes(),
            &begins,
            &ends,
            row.from.as_deref().unwrap_or_default().as_bytes(),
            row.agent.as_deref().unwrap_or_default().as_bytes(),
            &most,
        ];
        Ok(self.count(&scripts::IDENTITY_OPEN_SESSION, &args).await? == 1)
    }

    async fn use_session(&self, token: &Digest, r#use: Use) -> Result<Option<(SessionRow, Versioned)>> {
        let (now, idle, after) = (millis(r#use.now), number(r#use.idle_ms), number(r#use.record_after_ms));
        let flat = self.flat(&scripts::IDENTITY_USE_SESSION, &[token.as_bytes(), &now, &idle, &after]).await?;
        if flat.is_empty() {
            return Ok(None);
        }
        let row = session(&flat)?;
        let user = rows::versioned(flat.get(SESSION_FIELDS), flat.get(SESSION_FIELDS + 1))?;
        Ok(Some((row, user)))
    }

    async fn sessions(&self, user: &UserId, r#use: Use) -> Result<Vec<SessionRow>> {
        let (now, idle) = (millis(r#use.now), number(r#use.idle_ms));
        let flat = self.flat(&scripts::IDENTITY_SESSIONS, &[user.as_str().as_bytes(), &now, &idle]).await?;
        let mut rows = flat.chunks_exact(SESSION_FIELDS).map(session).collect::<Result<Vec<_>>>()?;
        rows.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id)));
        Ok(rows)
    }

    async fn end_session(&self, user: &UserId, session: &SessionId) -> Result<bool> {
        let args = [user.as_str().as_bytes(), b"one", session.as_str().as_bytes()];
        Ok(self.count(&scripts::IDENTITY_END_SESSIONS, &args).await? == 1)
    }

    async fn end_sessions(&self, user: &UserId, except: Option<&SessionId>) -> Result<u32> {
        let except = except.map_or("", SessionId::as_str);
        self.count(&scripts::IDENTITY_END_SESSIONS, &[user.as_str().as_bytes(), b"all", except.as_bytes()]).await
    }

    async fn insert_key(&self, insert: InsertKey) -> Result<Inserted> {
        let expires = insert.expires_at.map(millis).unwrap_or_default();
        let (now, most) = (millis(insert.now), number(insert.max_keys));
        let args = [insert.id.as_str().as_bytes(), insert.secret.as_bytes(), &insert.document, &expires, &now, &most];
        self.inserted(&scripts::IDENTITY_INSERT_KEY, &args).await
    }

    async fn key(&self, id: &KeyId, used: Option<(&Digest, Use)>, now: Timestamp) -> Result<Option<KeyRow>> {
        let offered = used.map_or("", |(secret, _)| secret.as_str());
        let after = number(used.map_or(0, |(_, r#use)| r#use.record_after_ms));
        let now = millis(now);
        let args = [id.as_str().as_bytes(), &now, offered.as_bytes(), &after];
        let flat = self.flat(&scripts::IDENTITY_KEY, &args).await?;
        if flat.is_empty() { Ok(None) } else { key(&flat).map(Some) }
    }

    async fn keys(&self, now: Timestamp) -> Result<Vec<KeyRow>> {
        let now = millis(now);
        self.flat(&scripts::IDENTITY_KEYS, &[&now]).await?.chunks_exact(4).map(key).collect()
    }

    async fn remove_key(&self, id: &KeyId) -> Result<bool> {
        Ok(self.count(&scripts::IDENTITY_REMOVE_KEY, &[id.as_str().as_bytes()]).await? == 1)
    }

    async fn guess(&self, account: &Digest, rule: GuessRule, now: Timestamp) -> Result<Guess> {
        let (now, free) = (millis(now), number(rule.free));
        let locks = [number(rule.first_lock_ms), number(rule.max_lock_ms), number(rule.memory_ms)];
        let args = [account.as_bytes(), &now, &free, &locks[0], &locks[1], &locks[2]];
        let script = &scripts::IDENTITY_GUESS;
        let until: Vec<u8> = read(self.run(script, &args, Repeat::Never).await?, script.name)?;
        match rows::number::<i64>(Some(&until))? {
            0 => Ok(Guess::Allowed),
            until => Ok(Guess::Locked(Timestamp::from_millis(until))),
        }
    }

    async fn forgive(&self, account: &Digest) -> Result<()> {
        self.delete(&format!("g:{account}"), Repeat::Safe).await.map(drop)
    }

    async fn put_challenge(&self, challenge: &Digest, row: ChallengeRow) -> Result<()> {
        let ends = millis(row.expires_at);
        let args = [challenge.as_bytes(), row.user.as_str().as_bytes(), row.account.as_bytes(), &ends];
        self.run(&scripts::IDENTITY_PUT_CHALLENGE, &args, Repeat::Safe).await.map(drop)
    }

    async fn answer(&self, challenge: &Digest, max_answers: u32, now: Timestamp) -> Result<Option<ChallengeRow>> {
        let (now, most) = (millis(now), number(max_answers));
        let script = &scripts::IDENTITY_ANSWER;
        let args = [challenge.as_bytes(), &now, &most];
        let flat: Flat = read(self.run(script, &args, Repeat::Never).await?, script.name)?;
        if flat.is_empty() { Ok(None) } else { rows::challenge(&flat).map(Some) }
    }

    async fn end_challenge(&self, challenge: &Digest) -> Result<bool> {
        self.delete(&format!("c:{challenge}"), Repeat::Never).await
    }

    async fn purge(&self, now: Timestamp, _limit: u32) -> Result<u32> {
        // What ends carries its end with it, but for keys: those leave when the next one is made, and here.
        let mut gone = 0;
        let valid: Vec<KeyId> = self.keys(now).await?.into_iter().map(|row| row.id).collect();
        let early = Timestamp::from_millis(i64::MIN);
        for row in self.keys(early).await? {
            if !valid.contains(&row.id) && self.remove_key(&row.id).await? {
                gone += 1;
            }
        }
        Ok(gone)
    }
}
