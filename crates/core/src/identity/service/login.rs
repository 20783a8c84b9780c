//! Logging in.

use super::{Account, IdentityService, guessed_as, name_key};
use crate::error::{Error, Result};
use crate::identity::password::is_outdated;
use crate::identity::port::{ChallengeRow, EndSessions, OpenSession, SessionRow, Versioned};
use crate::identity::refusals::{challenge_ended, login_failed};
use crate::identity::service::{Attempt, Visitor};
use crate::identity::tokens;
use crate::text::cut;
use mainstay_api::UserId;
use mainstay_api::identity::{
    AnswerChallenge, Challenge, Login, LoginOutcome, MAX_CODE_BYTES, MAX_PASSWORD_BYTES, MAX_SESSIONS,
    MAX_USER_NAME_BYTES, NewSession,
};
use secrecy::SecretString;

/// Longest address or name of a program that is noted, in bytes.
const MAX_NOTE_BYTES: usize = 256;

impl IdentityService {
    /// Checks a name and a password. A user with a second factor gets a challenge, any other a session. Whatever does not
    /// fit, a name that nobody has among it, the answer and the work are the same.
    ///
    /// # Errors
    /// In the outcome: `auth.login_failed`, `auth.locked`.
    pub async fn login(&self, login: Login, visitor: Visitor) -> Attempt<LoginOutcome> {
        if login.name.len() > MAX_USER_NAME_BYTES || login.password.len() > MAX_PASSWORD_BYTES {
            return Attempt { account: None, outcome: Err(login_failed()) };
        }
        // Also what is locked is looked up, so that it can be said at whose account the attempt was made.
        let found = match self.store.user_by_name(&name_key(&login.name)).await {
            Ok(found) => found,
            Err(error) => return Attempt { account: None, outcome: Err(error) },
        };
        let account = found.as_ref().map(|(id, _)| id.clone());
        Attempt { account, outcome: self.login_to(found, login, visitor).await }
    }

    async fn login_to(
        &self,
        found: Option<(UserId, Versioned)>,
        login: Login,
        visitor: Visitor,
    ) -> Result<LoginOutcome> {
        let guessed = guessed_as(&login.name);
        self.count_guess(&guessed).await?;
        let account = found.map(|(id, row)| Account::of(id, &row)).transpose()?.filter(|found| !found.record.disabled);
        let hash = account.as_ref().map(|account| account.record.password.clone());
        let password = SecretString::from(login.password);
        let fits = self.passwords.verify(password.clone(), hash).await?;
        let Some(account) = account.filter(|_| fits) else { return Err(login_failed()) };
        if account.record.factor().is_some() {
            // The guesses stay counted: only a whole login forgives them, or the password alone would buy new ones.
            return self.challenge(&account).await.map(LoginOutcome::Challenge);
        }
        self.store.forgive(&guessed).await?;
        let account = self.rehash(account, password).await?;
        self.open(&account, visitor).await.map(LoginOutcome::Session)
    }

    /// Checks the second factor of a login. Each answer counts for the challenge and for the account.
    ///
    /// # Errors
    /// In the outcome: `auth.login_failed`, `auth.locked`, `auth.challenge_invalid`.
    pub async fn answer(&self, answer: AnswerChallenge, visitor: Visitor) -> Attempt<NewSession> {
        let challenge = tokens::digest(&answer.challenge);
        let row = match self.store.answer(&challenge, self.rules.max_answers, self.clock.now()).await {
            Ok(Some(row)) => row,
            Ok(None) => return Attempt { account: None, outcome: Err(challenge_ended()) },
            Err(error) => return Attempt { account: None, outcome: Err(error) },
        };
        let account = Some(row.user.clone());
        Attempt { account, outcome: self.answer_to(row, answer, visitor).await }
    }

    async fn answer_to(&self, row: ChallengeRow, answer: AnswerChallenge, visitor: Visitor) -> Result<NewSession> {
        self.count_guess(&row.account).await?;
        let account = self.account(&row.user).await.map_err(|_| challenge_ended())?;
        // A challenge answers for the password that was shown for it, and for no later one.
        let asked_ms = row.expires_at.as_millis().saturating_sub(self.rules.challenge_ms);
        let stale = account.record.password_changed_at.as_millis() > asked_ms;
        if account.record.disabled || account.record.factor().is_none() || stale {
            return Err(challenge_ended());
        }
        let account = match (&answer.code, &answer.recovery_code) {
            (Some(code), None) if code.len() <= MAX_CODE_BYTES => self.accept_code(&account.id, code).await?,
            (None, Some(code)) if code.len() <= MAX_CODE_BYTES => self.take_recovery(&account.id, code).await?,
            (Some(_), None) | (None, Some(_)) => return Err(login_failed()),
            _ => return Err(Error::invalid("name either code or recovery_code")),
        };
        if !self.store.end_challenge(&tokens::digest(&answer.challenge)).await? {
            return Err(challenge_ended());
        }
        self.store.forgive(&row.account).await?;
        self.open(&account, visitor).await
    }

    async fn challenge(&self, account: &Account) -> Result<Challenge> {
        let token = tokens::challenge_text(&self.mint.secret());
        let expires_at = self.in_ms(self.rules.challenge_ms);
        let row = ChallengeRow { user: account.id.clone(), account: account.guessed_as(), expires_at };
        self.store.put_challenge(&tokens::digest(&token), row).await?;
        Ok(Challenge { challenge: token, expires_at })
    }

    /// Begins a session for the user as it was read: one that was changed meanwhile has to log in again.
    async fn open(&self, account: &Account, visitor: Visitor) -> Result<NewSession> {
        let (token, now) = (tokens::session_text(&self.mint.secret()), self.clock.now());
        let row = SessionRow {
            id: self.mint.session_id(),
            user: account.id.clone(),
            created_at: now,
            used_at: now,
            expires_at: self.in_ms(self.rules.session_max_ms),
            from: visitor.from.map(|from| cut(&from, MAX_NOTE_BYTES)),
            agent: visitor.agent.map(|agent| cut(&agent, MAX_NOTE_BYTES)),
        };
        let new = NewSession { token: token.clone(), id: row.id.clone(), expires_at: row.expires_at };
        let open = OpenSession {
            token: tokens::digest(&token),
            row,
            user_version: account.version,
            max_sessions: MAX_SESSIONS,
        };
        if !self.store.open_session(open).await? {
            return Err(login_failed());
        }
        tracing::info!(user = %account.id, session = %new.id, "session begun");
        Ok(new)
    }

    /// Hashes a password anew that was hashed with other parameters, while it is known.
    async fn rehash(&self, account: Account, password: SecretString) -> Result<Account> {
        if !is_outdated(&account.record.password) {
            return Ok(account);
        }
        let (old, new) = (account.record.password.clone(), self.passwords.hash(password).await?);
        let change = |record: &mut crate::identity::record::UserRecord| {
            if record.password == old {
                record.password.clone_from(&new);
            }
            Ok(())
        };
        Ok(self.change(&account.id, &EndSessions::None, change).await?.1)
    }
}
