//! One entry: who did what to which thing, and how it ended.

use super::ChainId;
use crate::{Namespace, Subject, Timestamp};
use serde::{Deserialize, Serialize};

/// The hash before the first entry of a chain.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What kind of act it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditClass {
    /// Something was read.
    Read,
    /// Something was made or changed.
    Write,
    /// Something was deleted.
    Delete,
    /// Data left the installation as a whole.
    Export,
    /// Somebody proved, or failed to prove, who they are.
    Login,
    /// A request without a valid credential, or without the scope it needs.
    Access,
    /// What somebody may do was changed.
    Privilege,
    /// The data of another was opened, with a reason.
    BreakGlass,
    /// The installation did it by itself.
    System,
}

impl AuditClass {
    /// Every class.
    pub const ALL: [Self; 9] = [
        Self::Read,
        Self::Write,
        Self::Delete,
        Self::Export,
        Self::Login,
        Self::Access,
        Self::Privilege,
        Self::BreakGlass,
        Self::System,
    ];

    /// The class as text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
            Self::Export => "export",
            Self::Login => "login",
            Self::Access => "access",
            Self::Privilege => "privilege",
            Self::BreakGlass => "break_glass",
            Self::System => "system",
        }
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// It began; an entry that names this one in `of` says how it ended. Where none does, it is not known.
    Started,
    /// It took place.
    Success,
    /// It was refused: the caller may not, or the request was not valid.
    Refused,
    /// It failed, and may have taken place in part.
    Failed,
}

impl AuditOutcome {
    /// The outcome as text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Success => "success",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// The thing that was acted on: by its id, never by its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditResource {
    /// What it is, such as `conversation`.
    pub kind: String,
    /// Which one; absent where the act concerns all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// One entry of the trail. Its stored form is this JSON with the fields in this order; its hash is the SHA-256 of those
/// bytes, which hold the hash of the entry before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditEntry {
    /// The chain it stands in.
    pub chain: ChainId,
    /// Its number in the chain: 1, 2, 3 and so on, without gaps.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Something random, so that no entry is the same as another, also not of the same act in the same moment.
    pub nonce: String,
    /// What was done, such as `conversations.read`.
    pub action: String,
    /// What kind of act that is.
    pub class: AuditClass,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// Who was behind the credential; `anonymous` where there was no valid one, `system` for the installation itself.
    pub principal: String,
    /// Whose data the credential stands for, as ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// The namespace of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Namespace>,
    /// What was acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<AuditResource>,
    /// The HTTP status of the answer, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The stable code of the error, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The entry of this chain whose end this one tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// The address that the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The id of the request, as the server logged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What relates requests of several services to one occurrence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// Why, where the caller has to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The hash of the entry before this one; zeros for the first.
    pub prev: String,
}
