//! Calls about the own account, users and API keys.

use crate::call::{Call, path};
use crate::{Client, Result};
use http::Method;
use mainstay_api::identity::{
    AddUser, AnswerChallenge, ApiKey, ApiKeys, ChangePassword, ChangeUser, ConfirmEnrolment, CreateKey, CreatedKey,
    EndOwnSessions, Enrolment, Login, LoginOutcome, NewSession, Proof, RecoveryCodes, Sessions, SessionsEnded,
    SetPassword, User, Users,
};
use mainstay_api::{KeyId, SessionId, UserId};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Calls about the own account, see [`Client::account`].
pub struct Account<'a>(pub(crate) &'a Client);

/// Calls about users, see [`Client::users`].
pub struct UsersClient<'a>(pub(crate) &'a Client);

/// Calls about API keys, see [`Client::keys`].
pub struct Keys<'a>(pub(crate) &'a Client);

impl Client {
    /// A write that is made once: what it answers is shown once, or it uses something up.
    async fn once<T: DeserializeOwned>(&self, method: Method, path: String, body: &impl Serialize) -> Result<T> {
        self.call(Call::write(method, path, None)?.json(body)?.once()).await
    }

    /// A write without a body, which made twice is made once.
    async fn end<T: DeserializeOwned>(&self, path: String) -> Result<T> {
        self.call(Call::write(Method::DELETE, path, None)?).await
    }
}

impl Account<'_> {
    /// Logs in with a name and a password.
    ///
    /// # Errors
    /// `auth.login_failed`, `auth.locked`.
    pub async fn login(&self, login: &Login) -> Result<LoginOutcome> {
        self.0.once(Method::POST, path(&["v1", "auth", "login"]), login).await
    }

    /// Answers the challenge of a login.
    ///
    /// # Errors
    /// `auth.login_failed`, `auth.locked`, `auth.challenge_invalid`.
    pub async fn answer(&self, answer: &AnswerChallenge) -> Result<NewSession> {
        self.0.once(Method::POST, path(&["v1", "auth", "challenge"]), answer).await
    }

    /// Ends the session that the client speaks with.
    ///
    /// # Errors
    /// `auth.forbidden` where the credential is no session.
    pub async fn logout(&self) -> Result<()> {
        self.0.call(Call::write(Method::POST, path(&["v1", "auth", "logout"]), None)?).await
    }

    /// Changes the own password.
    ///
    /// # Errors
    /// `auth.login_failed`, `auth.locked`, `auth.second_factor_required`.
    pub async fn change_password(&self, change: &ChangePassword) -> Result<NewSession> {
        self.0.once(Method::POST, path(&["v1", "auth", "password"]), change).await
    }

    /// Begins to enrol an authenticator.
    ///
    /// # Errors
    /// `auth.login_failed`, `auth.locked`, `identity.second_factor_exists`.
    pub async fn enrol(&self, proof: &Proof) -> Result<Enrolment> {
        self.0.once(Method::POST, path(&["v1", "auth", "totp"]), proof).await
    }

    /// Confirms an authenticator.
    ///
    /// # Errors
    /// `auth.login_failed`, `auth.locked`, `identity.second_factor_exists`.
    pub async fn confirm(&self, confirm: &ConfirmEnrolment) -> Result<RecoveryCodes> {
        self.0.once(Method::POST, path(&["v1", "auth", "totp", "confirm"]), confirm).await
    }

    /// Takes the second factor away.
    ///
    /// # Errors
    /// `auth.login_failed`, `auth.locked`.
    pub async fn remove_factor(&self, proof: &Proof) -> Result<NewSession> {
        self.0.once(Method::DELETE, path(&["v1", "auth", "totp"]), proof).await
    }

    /// Replaces the recovery codes.
    ///
    /// # Errors
    /// `auth.login_failed`, `auth.locked`.
    pub async fn renew_codes(&self, proof: &Proof) -> Result<RecoveryCodes> {
        self.0.once(Method::POST, path(&["v1", "auth", "recovery-codes"]), proof).await
    }

    /// The own sessions, the newest first.
    ///
    /// # Errors
    /// `auth.forbidden` where the credential is no session.
    pub async fn sessions(&self) -> Result<Sessions> {
        self.0.call(Call::get(path(&["v1", "auth", "sessions"]))).await
    }

    /// Ends one of the own sessions.
    ///
    /// # Errors
    /// `identity.not_found`.
    pub async fn end_session(&self, session: &SessionId) -> Result<()> {
        self.0.end(path(&["v1", "auth", "sessions", session.as_str()])).await
    }

    /// Ends the own sessions.
    ///
    /// # Errors
    /// `auth.forbidden` where the credential is no session.
    pub async fn end_sessions(&self, wanted: &EndOwnSessions) -> Result<SessionsEnded> {
        let path = path(&["v1", "auth", "sessions"]);
        self.0.call(Call::write(Method::DELETE, path, None)?.query(wanted)?).await
    }
}

impl UsersClient<'_> {
    /// Adds a user.
    ///
    /// # Errors
    /// `identity.exists`, `identity.full`.
    pub async fn add(&self, user: &AddUser) -> Result<User> {
        self.0.once(Method::POST, path(&["v1", "users"]), user).await
    }

    /// Every user, by name.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(&self) -> Result<Users> {
        self.0.call(Call::get(path(&["v1", "users"]))).await
    }

    /// One user.
    ///
    /// # Errors
    /// `identity.not_found`.
    pub async fn user(&self, id: &UserId) -> Result<User> {
        self.0.call(Call::get(path(&["v1", "users", id.as_str()]))).await
    }

    /// Changes a user.
    ///
    /// # Errors
    /// `identity.not_found`.
    pub async fn change(&self, id: &UserId, change: &ChangeUser) -> Result<User> {
        let path = path(&["v1", "users", id.as_str()]);
        self.0.call(Call::write(Method::PATCH, path, None)?.json(change)?).await
    }

    /// Gives a user a new password.
    ///
    /// # Errors
    /// `identity.not_found`.
    pub async fn set_password(&self, id: &UserId, set: &SetPassword) -> Result<User> {
        let path = path(&["v1", "users", id.as_str(), "password"]);
        self.0.call(Call::write(Method::PUT, path, None)?.json(set)?).await
    }

    /// Removes a user.
    ///
    /// # Errors
    /// `identity.not_found`.
    pub async fn remove(&self, id: &UserId) -> Result<()> {
        self.0.end(path(&["v1", "users", id.as_str()])).await
    }

    /// The sessions of a user, the newest first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn sessions(&self, id: &UserId) -> Result<Sessions> {
        self.0.call(Call::get(path(&["v1", "users", id.as_str(), "sessions"]))).await
    }

    /// Ends every session of a user.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn end_sessions(&self, id: &UserId) -> Result<SessionsEnded> {
        self.0.end(path(&["v1", "users", id.as_str(), "sessions"])).await
    }

    /// Takes the second factor of a user away.
    ///
    /// # Errors
    /// `identity.not_found`.
    pub async fn reset_factor(&self, id: &UserId) -> Result<User> {
        self.0.end(path(&["v1", "users", id.as_str(), "totp"])).await
    }
}

impl Keys<'_> {
    /// Makes an API key.
    ///
    /// # Errors
    /// `identity.full`.
    pub async fn create(&self, key: &CreateKey) -> Result<CreatedKey> {
        self.0.once(Method::POST, path(&["v1", "keys"]), key).await
    }

    /// Every API key, the newest first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(&self) -> Result<ApiKeys> {
        self.0.call(Call::get(path(&["v1", "keys"]))).await
    }

    /// One API key.
    ///
    /// # Errors
    /// `identity.not_found`.
    pub async fn key(&self, id: &KeyId) -> Result<ApiKey> {
        self.0.call(Call::get(path(&["v1", "keys", id.as_str()]))).await
    }

    /// Ends an API key.
    ///
    /// # Errors
    /// `identity.not_found`.
    pub async fn revoke(&self, id: &KeyId) -> Result<()> {
        self.0.end(path(&["v1", "keys", id.as_str()])).await
    }
}
