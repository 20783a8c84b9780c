//! Credentials of providers.

use super::{PoolType, ProviderId};
use crate::{RawJson, Timestamp};
use serde::{Deserialize, Serialize};

/// How the refresh of a credential stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefreshPhase {
    /// Nobody is at it.
    Idle,
    /// A node is at it.
    Running,
    /// It failed; nobody tries for a while.
    Waiting,
    /// The authorization server does not take the refresh token any more.
    Dead,
}

/// How the refresh of a credential stands, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct RefreshState {
    /// How it stands.
    pub phase: RefreshPhase,
    /// Until when somebody is at it, or nobody tries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Who is at it, or was last: a node and its attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// Why it is dead: what the authorization server said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Failures in a row.
    pub failures: u32,
    /// Whether an attempt ended without a word: the refresh token may have been used.
    pub in_doubt: bool,
}

/// A credential of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct Credential {
    /// The pool.
    pub pool: PoolType,
    /// The provider.
    pub provider: ProviderId,
    /// Its version, which grows with every change.
    pub version: u64,
    /// The text of the credential, with a mask in place of all that may be secret unless it was asked for.
    pub credential: RawJson,
    /// When the access token expires, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// From when on it is refreshed ahead of need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_at: Option<Timestamp>,
    /// When it was written.
    pub updated_at: Timestamp,
    /// The key that it is sealed with.
    pub seal_key: String,
    /// How its refresh stands.
    pub refresh: RefreshState,
}

/// Under which condition a credential is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PutCredentialQuery {
    /// The version that is replaced, 0 where there is to be none; any where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<u64>,
}
