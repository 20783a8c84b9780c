//! Logging in: a password, a second factor, a session.

use super::users::opaque_debug;
use crate::{SessionId, Timestamp};
use serde::{Deserialize, Serialize};

/// Longest code that is looked at, in bytes.
pub const MAX_CODE_BYTES: usize = 64;
/// Most sessions of a user; beyond it the oldest ends.
pub const MAX_SESSIONS: u32 = 100;

/// Begins to log in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The name of the user.
    pub name: String,
    /// The password.
    pub password: String,
}

/// What a login leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoginOutcome {
    /// The user is in.
    Session(NewSession),
    /// A second factor is asked for.
    Challenge(Challenge),
}

/// A session that has just begun, or was given a new token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NewSession {
    /// The credential, shown this once: only its hash is kept.
    pub token: String,
    /// The id of the session, which is no secret.
    pub id: SessionId,
    /// When it ends at the latest; earlier where it is not used.
    pub expires_at: Timestamp,
}

/// A login that waits for its second factor.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Challenge {
    /// What the answer has to name.
    pub challenge: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Answers a challenge: with a code of the authenticator, or with a recovery code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerChallenge {
    /// The challenge.
    pub challenge: String,
    /// Six digits of the authenticator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// A recovery code; it is used up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_code: Option<String>,
}

/// Changes one's own password. Ends every other session, and gives this one a new token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The present password.
    pub password: String,
    /// The new one.
    pub new_password: String,
    /// A code of the authenticator, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// Proves once more who one is, before something of weight.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The password.
    pub password: String,
    /// A code of the authenticator, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// An authenticator that waits to be confirmed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Enrolment {
    /// The shared secret, in base32, for typing.
    pub secret: String,
    /// The same as an `otpauth://` URI, for a QR code.
    pub uri: String,
}

/// Confirms an authenticator with its first code, which cannot be used to log in any more.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmEnrolment {
    /// Six digits of the authenticator.
    pub code: String,
}

/// New recovery codes, shown this once, each good for one login; and the new token of the session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RecoveryCodes {
    /// The codes.
    pub codes: Vec<String>,
    /// The session with its new token.
    pub session: NewSession,
}

/// A session, without its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whether it is the one that asks.
    pub current: bool,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// The address that it was begun from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The program that began it, as it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// The sessions of a user, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Sessions {
    /// The sessions.
    pub sessions: Vec<Session>,
}

/// Which of one's own sessions end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct EndOwnSessions {
    /// Whether the session that asks stays.
    #[serde(default)]
    pub keep_this: bool,
}

/// How many sessions ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SessionsEnded {
    /// How many.
    pub ended: u32,
}

opaque_debug!(
    Login,
    NewSession,
    Challenge,
    AnswerChallenge,
    ChangePassword,
    Proof,
    Enrolment,
    ConfirmEnrolment,
    RecoveryCodes
);
