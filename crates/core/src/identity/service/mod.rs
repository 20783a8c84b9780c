//! The rules of identity.

mod factor;
mod keys;
mod login;
mod sessions;
mod users;

use super::password::Passwords;
use super::port::{Digest, EndSessions, Guess, GuessRule, IdentityStore, ReplaceUser, Replaced, Use, Versioned};
use super::record::{UserRecord, write};
use super::refusals::{contended, locked, not_a_user, not_found};
use super::tokens;
use crate::error::Result;
use crate::secrets::KeyRing;
use crate::{Caller, Clock, Mint, Principal, secrets};
use mainstay_api::{Timestamp, UserId};
use std::sync::Arc;

/// How often a change of a record is tried again where somebody else was first.
const MAX_ATTEMPTS: u32 = 16;

/// What is configured about identity.
#[derive(Debug, Clone)]
pub struct IdentityRules {
    /// Silence after which a session ends, in milliseconds.
    pub session_idle_ms: i64,
    /// How long a session lasts at most, in milliseconds.
    pub session_max_ms: i64,
    /// How long a challenge lasts, in milliseconds.
    pub challenge_ms: i64,
    /// Answers that a challenge takes.
    pub max_answers: u32,
    /// Bounds on guessing at one account.
    pub guesses: GuessRule,
    /// Most users.
    pub max_users: u32,
    /// Most API keys.
    pub max_keys: u32,
    /// The name that authenticators show.
    pub issuer: String,
    /// Keys that secrets are sealed with; without, nobody can enrol a second factor.
    pub ring: Option<KeyRing>,
}

impl Default for IdentityRules {
    /// 8 hours of silence, 30 days at most; 5 minutes and 5 answers a challenge; 5 guesses, then 30 seconds that double up
    /// to an hour; 100,000 users and 10,000 keys.
    fn default() -> Self {
        Self {
            session_idle_ms: 8 * 60 * 60 * 1_000,
            session_max_ms: 30 * 24 * 60 * 60 * 1_000,
            challenge_ms: 5 * 60 * 1_000,
            max_answers: 5,
            guesses: GuessRule {
                free: 5,
                first_lock_ms: 30_000,
                max_lock_ms: 60 * 60 * 1_000,
                memory_ms: 24 * 60 * 60 * 1_000,
            },
            max_users: 100_000,
            max_keys: 10_000,
            issuer: "Mainstay".into(),
            ring: None,
        }
    }
}

/// Where somebody logs in from.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    /// The address.
    pub from: Option<String>,
    /// The program, as it says.
    pub agent: Option<String>,
}

/// Why somebody asks whom a credential stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A call is made with it, which is recorded as its last use and keeps a session alive.
    Use,
    /// Something that was begun with it goes on: a forgotten page must not keep a session from ending by silence.
    Watch,
}

/// An attempt to log in: what became of it, and at whose account it was made, which the audit trail is told and the
/// visitor is not.
#[derive(Debug)]
pub struct Attempt<T> {
    /// The account; none where nobody has the name, or the challenge is none.
    pub account: Option<UserId>,
    /// What became of it.
    pub outcome: Result<T>,
}

/// Identity: every operation, for every surface.
pub struct IdentityService {
    store: Arc<dyn IdentityStore>,
    clock: Arc<dyn Clock>,
    mint: Arc<dyn Mint>,
    rules: IdentityRules,
    passwords: Passwords,
}

/// A user that was read, to be changed.
struct Account {
    id: UserId,
    version: u64,
    record: UserRecord,
}

impl IdentityService {
    /// Identity on a store.
    #[must_use]
    pub fn new(
        store: Arc<dyn IdentityStore>,
        clock: Arc<dyn Clock>,
        mint: Arc<dyn Mint>,
        rules: IdentityRules,
    ) -> Self {
        Self { store, clock, mint, rules, passwords: Passwords::default() }
    }

    /// Checks that every key is in the ring that something in the store is sealed with.
    ///
    /// # Errors
    /// `secrets.key_missing`, naming the keys.
    pub async fn check_ring(&self) -> Result<()> {
        secrets::check(self.rules.ring.as_ref(), self.store.seal_keys().await?)
    }

    /// Forgets what has ended, at most `limit` of each kind; for the maintenance job.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn purge(&self, limit: u32) -> Result<u32> {
        self.store.purge(self.clock.now(), limit).await
    }

    fn ring(&self) -> Result<&KeyRing> {
        secrets::needed(self.rules.ring.as_ref(), "this server has no key ring to seal secrets with")
    }

    fn r#use(&self) -> Use {
        Use { now: self.clock.now(), idle_ms: self.rules.session_idle_ms, record_after_ms: self.record_after_ms() }
    }

    /// Uses are recorded to the minute, and often enough that no session ends while it is used.
    fn record_after_ms(&self) -> i64 {
        (self.rules.session_idle_ms / 10).min(60_000)
    }

    fn in_ms(&self, millis: i64) -> Timestamp {
        Timestamp::from_millis(self.clock.now().as_millis().saturating_add(millis))
    }

    /// The user behind a session.
    async fn own(&self, caller: &Caller) -> Result<Account> {
        let Principal::User(id) = &caller.principal else { return Err(not_a_user()) };
        self.account(id).await
    }

    async fn account(&self, id: &UserId) -> Result<Account> {
        let row = self.store.user(id).await?.ok_or_else(|| not_found("user"))?;
        Account::of(id.clone(), &row)
    }

    /// Writes a changed user where nobody else changed it since it was read.
    async fn save(&self, account: &Account, sessions: EndSessions) -> Result<Replaced> {
        let replace = ReplaceUser {
            id: account.id.clone(),
            expected: account.version,
            document: write(&account.record)?,
            seal_key: account.record.seal_key(),
            sessions,
        };
        self.store.replace_user(replace).await
    }

    /// Reads a user, changes it and writes it, again where somebody else was first.
    async fn change<T>(
        &self,
        id: &UserId,
        sessions: &EndSessions,
        mut change: impl FnMut(&mut UserRecord) -> Result<T>,
    ) -> Result<(T, Account)> {
        for _ in 0..MAX_ATTEMPTS {
            let mut account = self.account(id).await?;
            let outcome = change(&mut account.record)?;
            match self.save(&account, sessions.clone()).await? {
                Replaced::Replaced(version) => return Ok((outcome, Account { version, ..account })),
                Replaced::Conflict => {}
                Replaced::NotFound => return Err(not_found("session")),
            }
        }
        Err(contended())
    }

    /// Counts a guess before anybody looks at it.
    async fn count_guess(&self, account: &Digest) -> Result<()> {
        let now = self.clock.now();
        match self.store.guess(account, self.rules.guesses, now).await? {
            Guess::Allowed => Ok(()),
            Guess::Locked(until) => {
                tracing::warn!(account = &account[..12], "an account is locked");
                Err(locked(until, now))
            }
        }
    }
}

impl Account {
    fn of(id: UserId, row: &Versioned) -> Result<Self> {
        Ok(Self { id, version: row.version, record: UserRecord::of(row)? })
    }

    /// The name under which guesses at this account are counted.
    fn guessed_as(&self) -> Digest {
        guessed_as(&self.record.name)
    }
}

/// The form of a name in which names are compared.
fn name_key(name: &str) -> String {
    name.trim().to_lowercase()
}

/// The name under which guesses at an account are counted, whether there is one or not.
fn guessed_as(name: &str) -> Digest {
    tokens::digest(&name_key(name))
}
