//! Sessions.

use super::{IdentityService, Purpose};
use crate::error::Result;
use crate::identity::port::{SessionRow, Use};
use crate::identity::record::UserRecord;
use crate::identity::refusals::{not_a_user, not_found};
use crate::identity::tokens;
use crate::roles::Identified;
use crate::{Caller, Principal, Scope};
use mainstay_api::identity::{Session, Sessions, SessionsEnded};
use mainstay_api::{SessionId, Subject, UserId};

impl IdentityService {
    /// Who the token of a session stands for; `None` where it is none that is valid.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn by_session(&self, token: &str, purpose: Purpose) -> Result<Option<Identified>> {
        if !tokens::is_session(token) {
            return Ok(None);
        }
        let r#use = match purpose {
            Purpose::Use => self.r#use(),
            Purpose::Watch => Use { record_after_ms: i64::MAX, ..self.r#use() },
        };
        let found = self.store.use_session(&tokens::digest(token), r#use).await?;
        let Some((row, user)) = found else { return Ok(None) };
        let record = UserRecord::of(&user)?;
        if record.disabled {
            return Ok(None);
        }
        Ok(Some(Identified {
            subject: Subject::local(row.user.as_str()),
            principal: Principal::User(row.user),
            grants: record.grants()?,
            instance: None,
            session: Some(row.id),
        }))
    }

    /// One's own sessions, the newest first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn own_sessions(&self, caller: &Caller) -> Result<Sessions> {
        self.sessions_told(own(caller)?, caller.session.as_ref()).await
    }

    /// The sessions of a user, the newest first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn sessions_of(&self, caller: &Caller, user: &UserId) -> Result<Sessions> {
        caller.require_everywhere(Scope::IdentityAdmin)?;
        self.sessions_told(user, caller.session.as_ref()).await
    }

    /// Ends one of one's own sessions.
    ///
    /// # Errors
    /// `identity.not_found`.
    pub async fn end_session(&self, caller: &Caller, session: &SessionId) -> Result<()> {
        let ended = self.store.end_session(own(caller)?, session).await?;
        if ended { Ok(()) } else { Err(not_found("session")) }
    }

    /// Ends the session that the caller came with.
    ///
    /// # Errors
    /// `auth.forbidden` where the credential is no session.
    pub async fn logout(&self, caller: &Caller) -> Result<()> {
        let session = caller.session.as_ref().ok_or_else(not_a_user)?;
        self.store.end_session(own(caller)?, session).await.map(drop)
    }

    /// Ends all of one's own sessions, this one too unless it is to stay.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn end_own_sessions(&self, caller: &Caller, keep_this: bool) -> Result<SessionsEnded> {
        let except = caller.session.as_ref().filter(|_| keep_this);
        Ok(SessionsEnded { ended: self.store.end_sessions(own(caller)?, except).await? })
    }

    /// Ends all sessions of a user.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn end_sessions_of(&self, caller: &Caller, user: &UserId) -> Result<SessionsEnded> {
        caller.require_everywhere(Scope::IdentityAdmin)?;
        caller.holds_all(&self.account(user).await?.record.grants()?)?;
        Ok(SessionsEnded { ended: self.store.end_sessions(user, None).await? })
    }

    async fn sessions_told(&self, user: &UserId, current: Option<&SessionId>) -> Result<Sessions> {
        let rows = self.store.sessions(user, self.r#use()).await?;
        let told = |row: SessionRow| Session {
            current: current == Some(&row.id),
            id: row.id,
            created_at: row.created_at,
            last_used_at: row.used_at,
            expires_at: row.expires_at,
            from: row.from,
            agent: row.agent,
        };
        Ok(Sessions { sessions: rows.into_iter().map(told).collect() })
    }
}

fn own(caller: &Caller) -> Result<&UserId> {
    match &caller.principal {
        Principal::User(id) => Ok(id),
        _ => Err(not_a_user()),
    }
}
