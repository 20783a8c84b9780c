//! Logging in.

use super::{Account, IdentityService, guessed_as, name_key};
use crate::error::{Error, Result};
use crate::identity::password::is_outdated;
use crate::identity::port::{ChallengeRow, EndSessions, OpenSession, SessionRow};
use crate::identity::refusals::{challenge_ended, login_failed};
use crate::identity::service::Visitor;
use crate::identity::tokens;
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
    /// `auth.login_failed`, `auth.locked`.
    pub async fn login(&self, login: Login, visitor: Visitor) -> Result<LoginOutcome> {
        if login.name.len() > MAX_USER_NAME_BYTES || login.password.len() > MAX_PASSWORD_BYTES {
            return Err(login_failed());
        }
        let guessed = guessed_as(&login.name);
        self.count_guess(&guessed).await?;
        let found = self.store.user_by_name(&name_key(&login.name)).await?;
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
    /// `auth.login_failed`, `auth.locked`, `auth.challenge_invalid`.
    pub async fn answer(&self, answer: AnswerChallenge, visitor: Visitor) -> Result<NewSession> {
        let challenge = tokens::digest(&answer.challenge);
        let row = self.store.answer(&challenge, self.rules.max_answers, self.clock.now()).await?;
        let row = row.ok_or_else(challenge_ended)?;
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
        if !self.store.end_challenge(&challenge).await? {
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
            from: visitor.from.map(short),
            agent: visitor.agent.map(short),
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

fn short(text: String) -> String {
    if text.len() <= MAX_NOTE_BYTES {
        return text;
    }
    let end = (0..=MAX_NOTE_BYTES).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text[..end].to_owned()
}
