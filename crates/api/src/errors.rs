//! The catalogue of errors: one table maps a code to HTTP, WebSocket, MCP and exit status, and to the page that
//! `mainstay explain <code>` prints. A code, once published, keeps its meaning.

use serde::{Deserialize, Serialize};

/// What a code means on every surface.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The stable code, such as `mail.not_found`.
    pub code: &'static str,
    /// A few words for people.
    pub title: &'static str,
    /// HTTP status.
    pub http: u16,
    /// WebSocket close code: 4xxx ends for good, 45xx may come back (Centrifugo's convention).
    pub websocket: u16,
    /// JSON-RPC error code, where a call fails as a protocol error instead of a tool result.
    pub json_rpc: i32,
    /// Exit status of the command line: 1 failed, 2 usage, 3 store unavailable.
    pub exit: u8,
    /// Whether the same call may succeed later, unchanged.
    pub retryable: bool,
    /// The page: what happened, why, and how to fix it, in Markdown.
    pub page: &'static str,
}

macro_rules! catalogue {
    ($($variant:ident = $code:literal, $title:literal, $http:literal, $ws:literal, $rpc:literal, $exit:literal, $retry:literal;)*) => {
        /// The stable code of an error.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
        pub enum Code {
            $(
                #[doc = $title]
                #[serde(rename = $code)]
                $variant,
            )*
        }

        impl Code {
            /// Every code, in the order of the catalogue.
            pub const ALL: &[Code] = &[$(Code::$variant),*];

            /// The entry of the catalogue.
            #[must_use]
            pub fn entry(self) -> Entry {
                match self {
                    $(Code::$variant => Entry {
                        code: $code, title: $title, http: $http, websocket: $ws, json_rpc: $rpc, exit: $exit,
                        retryable: $retry, page: include_str!(concat!("errors/", $code, ".md")),
                    },)*
                }
            }
        }
    };
}

catalogue! {
    InvalidRequest = "request.invalid", "The request is not valid", 400, 4400, -32602, 2, false;
    TooLarge = "request.too_large", "The request is too large", 413, 4413, -32602, 2, false;
    NoSuchRoute = "request.no_such_route", "There is nothing at this address", 404, 4404, -32601, 1, false;
    MethodNotAllowed = "request.method_not_allowed", "The address exists, the method does not", 405, 4405, -32601, 1, false;
    RequestIdReused = "request.id_reused", "The request id was used for another request", 422, 4422, -32602, 1, false;
    TimedOut = "request.timed_out", "The request took too long", 504, 4504, -32000, 1, true;
    Overloaded = "server.overloaded", "The server has too much to do", 503, 4503, -32000, 1, true;
    Stopping = "server.stopping", "The server is stopping", 503, 4503, -32000, 1, true;
    Unreachable = "server.unreachable", "The server cannot be reached", 503, 4503, -32000, 3, true;
    Internal = "server.internal", "The server failed", 500, 4500, -32603, 1, false;
    ConnectionUnknown = "events.connection_unknown", "There is no such connection", 404, 4404, -32004, 1, false;
    ConnectionInUse = "events.connection_in_use", "The connection is open already", 409, 4409, -32602, 1, false;
    ConnectionSilent = "events.connection_silent", "Nothing was heard of the client", 408, 4508, -32000, 1, true;
    ConnectionTooSlow = "events.connection_too_slow", "The client reads too slowly", 429, 4529, -32006, 1, true;
    CredentialMissing = "auth.credential_missing", "The request has no credential", 401, 4401, -32001, 1, false;
    CredentialInvalid = "auth.credential_invalid", "The credential is not valid", 401, 4401, -32001, 1, false;
    TokenExpired = "auth.token_expired", "The token has expired", 401, 4401, -32001, 1, false;
    AudienceMismatch = "auth.audience_mismatch", "The token is for another audience", 401, 4401, -32001, 1, false;
    IssuerMismatch = "auth.issuer_mismatch", "The token is of an issuer that is not trusted", 401, 4401, -32001, 1, false;
    KeysUnavailable = "auth.keys_unavailable", "The keys of an issuer cannot be fetched", 503, 4503, -32003, 1, true;
    TenantNotAllowed = "auth.tenant_not_allowed", "The tenant of the token is not allowed", 403, 4403, -32001, 1, false;
    LoginFailed = "auth.login_failed", "The name, the password or the code is not right", 401, 4401, -32001, 1, false;
    AccountLocked = "auth.locked", "There were too many wrong attempts", 429, 4429, -32006, 1, true;
    ChallengeInvalid = "auth.challenge_invalid", "The challenge has ended", 401, 4401, -32001, 1, false;
    SecondFactorRequired = "auth.second_factor_required", "A code of the authenticator is needed", 403, 4403, -32001, 1, false;
    Forbidden = "auth.forbidden", "The credential does not allow this", 403, 4403, -32001, 1, false;
    HostNotAllowed = "auth.host_not_allowed", "The Host or Origin is not allowed", 403, 4403, -32001, 1, false;
    InstanceUnknown = "auth.instance_missing", "The call needs to know which instance it speaks for", 400, 4400, -32602, 2, false;
    IdentityNotFound = "identity.not_found", "There is no such user, key or session", 404, 4404, -32004, 1, false;
    IdentityExists = "identity.exists", "A user of this name exists", 409, 4409, -32005, 1, false;
    IdentityFull = "identity.full", "There are as many users or keys as there may be", 429, 4429, -32006, 1, false;
    SecondFactorExists = "identity.second_factor_exists", "The account has a second factor", 409, 4409, -32005, 1, false;
    SecretsKeyMissing = "secrets.key_missing", "A key is missing that secrets are sealed with", 500, 4500, -32603, 2, false;
    SecretsUnreadable = "secrets.unreadable", "A sealed secret cannot be opened", 500, 4500, -32603, 1, false;
    StoreUnavailable = "store.unavailable", "The store cannot be reached", 503, 4503, -32003, 3, true;
    StoreBusy = "store.busy", "The store is busy", 503, 4503, -32003, 3, true;
    StoreFull = "store.full", "The store has no room left", 507, 4507, -32003, 3, false;
    JournalFull = "store.journal_full", "The store is away, and no more writes are kept for it", 503, 4503, -32003, 3, true;
    StoreIncompatible = "store.incompatible", "The store cannot be used by this version", 500, 4500, -32003, 3, false;
    StoreInconsistent = "store.inconsistent", "The store holds something that cannot be", 500, 4500, -32603, 1, false;
    MailNotFound = "mail.not_found", "There is no such message", 404, 4404, -32004, 1, false;
    MailDuplicateId = "mail.duplicate_id", "A message with this id exists", 409, 4409, -32005, 1, false;
    MailSentAndGone = "mail.sent_and_gone", "The message was sent by an earlier call and is gone since", 410, 4410, -32004, 1, false;
    MailInvalidType = "mail.invalid_type", "The message type is not known", 400, 4400, -32602, 2, false;
    MailInboxFull = "mail.inbox_full", "The inbox of a recipient is full", 429, 4429, -32006, 1, true;
    MailNotRecipient = "mail.not_a_recipient", "The message was not sent to this instance", 403, 4403, -32001, 1, false;
    ConversationNotFound = "conversations.not_found", "There is no such conversation", 404, 4404, -32004, 1, false;
    ConversationExists = "conversations.exists", "A conversation with this id exists", 409, 4409, -32005, 1, false;
    ConversationVersion = "conversations.version_conflict", "The conversation has changed since", 409, 4409, -32005, 1, false;
    ConversationTurnBusy = "conversations.turn_busy", "Another turn of the conversation is running", 409, 4509, -32005, 1, true;
    ConversationTurnLost = "conversations.turn_lost", "The turn is not the caller's any more", 409, 4409, -32005, 1, false;
    ConversationFull = "conversations.full", "The conversation is full", 409, 4409, -32006, 1, false;
    ConversationTooMany = "conversations.too_many", "The user has too many conversations", 429, 4429, -32006, 1, false;
    ConversationCardRefused = "conversations.card_refused", "The card may not do this", 403, 4403, -32002, 1, false;
    ConversationAgentFailed = "conversations.agent_failed", "The agent failed", 502, 4502, -32007, 1, true;
    ConversationAgentUnavailable = "conversations.agent_unavailable", "The agent cannot be reached", 503, 4503, -32007, 1, true;
    DocumentNotFound = "documents.not_found", "There is no such document", 404, 4404, -32004, 1, false;
    DocumentConflict = "documents.version_conflict", "The document has changed since", 412, 4412, -32005, 1, false;
    DocumentInvalid = "documents.schema_violation", "The document does not fit its schema", 422, 4422, -32602, 1, false;
    DocumentsFull = "documents.full", "There are as many documents as there may be", 429, 4429, -32006, 1, false;
    EventStreamUnknown = "events.stream_unknown", "There is no such stream", 404, 4404, -32004, 1, false;
    EventGroupUnknown = "events.group_not_found", "There is no such consumer group", 404, 4404, -32004, 1, false;
    EventGroupsFull = "events.too_many_groups", "The stream has as many consumer groups as it may", 429, 4429, -32006, 1, false;
    EventBacklog = "events.backlog", "A consumer group is too far behind", 429, 4529, -32006, 1, true;
    EventRoomForbidden = "events.room_forbidden", "The room is not open to this credential", 403, 4403, -32001, 1, false;
    EventRoomFull = "events.room_full", "The room is full", 429, 4529, -32006, 1, true;
    EventTransportConflict = "events.transport_conflict", "The settings of the transport have changed since", 409, 4409, -32005, 1, false;
    GatewayKeyNotFound = "gateway.key_not_found", "There is no such gateway key", 404, 4404, -32004, 1, false;
    GatewayKeyExists = "gateway.key_exists", "A gateway key with this secret exists", 409, 4409, -32005, 1, false;
    GatewayKeyVersion = "gateway.key_version_conflict", "The gateway key has changed since", 409, 4409, -32005, 1, false;
    GatewayKeysFull = "gateway.too_many_keys", "There are as many gateway keys as there may be", 429, 4429, -32006, 1, false;
    GatewayKeyRefused = "gateway.key_refused", "The gateway key is disabled, or has ended", 403, 4403, -32001, 1, false;
    GatewayModelRefused = "gateway.model_refused", "The gateway key may not use this model or pool", 403, 4403, -32001, 1, false;
    GatewayLimited = "gateway.limited", "A limit of the gateway key is reached", 429, 4529, -32006, 1, true;
    GatewayBudgetSpent = "gateway.budget_spent", "The budget of the gateway key is spent", 402, 4429, -32006, 1, false;
    TokensNotFound = "credentials.not_found", "There is no such provider, or it has no credential", 404, 4404, -32004, 1, false;
    TokensConflict = "credentials.version_conflict", "The credential has changed since", 409, 4409, -32005, 1, false;
    TokensDead = "credentials.dead", "The credential cannot be refreshed any more", 409, 4409, -32005, 1, false;
    TokensPending = "credentials.refresh_pending", "The credential is being refreshed, or will be later", 503, 4503, -32000, 1, true;
    TokensNotRefreshable = "credentials.not_refreshable", "The credential cannot be refreshed as things are", 409, 4409, -32005, 1, false;
    ProviderNotFound = "providers.not_found", "There is no such pool or provider", 404, 4404, -32004, 1, false;
    ProviderExists = "providers.exists", "The pool has a provider of this id", 409, 4409, -32005, 1, false;
    ProviderConflict = "providers.version_conflict", "The pool or the provider has changed since", 412, 4412, -32005, 1, false;
    ProvidersFull = "providers.full", "There are as many pools or providers as there may be", 429, 4429, -32006, 1, false;
    PresenceNotFound = "presence.not_found", "There is no such instance", 404, 4404, -32004, 1, false;
    PresenceFull = "presence.full", "Too many instances are registered", 429, 4429, -32006, 1, false;
    CursorInvalid = "page.invalid_cursor", "The cursor is not one that this listing gave", 400, 4400, -32602, 2, false;
    SettingInvalid = "settings.invalid", "A setting is not valid", 500, 4500, -32603, 2, false;
    ImportSource = "import.source_unreadable", "The source of the import cannot be read", 400, 4400, -32602, 1, false;
    ImportConflict = "import.conflict", "The destination holds another message under the same id", 409, 4409, -32005, 1, false;
    AuditUnavailable = "audit.unavailable", "The act was refused because it could not be recorded", 503, 4503, -32003, 3, true;
    AuditKeyInvalid = "audit.key_invalid", "The key of the audit trail cannot be used", 500, 4500, -32603, 2, false;
    AuditCheckpointFailed = "audit.checkpoint_failed", "The checkpoint could not be written", 503, 4503, -32003, 1, true;
    MirrorFailed = "mirror.failed", "The mirror of the store cannot be written", 503, 4503, -32003, 1, true;
}

impl Code {
    /// The code as text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.entry().code
    }

    /// Finds a code by its text.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }

    /// The name under which clients of token-based APIs know a refused credential.
    #[must_use]
    pub fn token_error(self) -> Option<&'static str> {
        match self {
            Self::CredentialMissing => Some("token_missing"),
            Self::CredentialInvalid => Some("token_invalid"),
            Self::TokenExpired => Some("token_expired"),
            Self::AudienceMismatch => Some("audience_mismatch"),
            Self::IssuerMismatch => Some("issuer_mismatch"),
            Self::TenantNotAllowed => Some("tenant_not_allowed"),
            _ => None,
        }
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a failed write took place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Applied {
    /// It certainly did not.
    No,
    /// It did, in an earlier call with the same request id.
    Yes,
    /// It may have: repeat it with the same request id to find out, that never does it twice.
    Unknown,
}

/// An error as every surface reports it: an RFC 9457 problem document.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct Problem {
    /// A URI reference for the kind of problem: `/v1/errors/<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A few words for people, the same for every problem of the code.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: Code,
    /// For a refused credential, the name that clients of token-based APIs know: `token_missing`, `token_invalid`,
    /// `token_expired`, `audience_mismatch`, `issuer_mismatch` or `tenant_not_allowed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What happened, in this case.
    pub detail: String,
    /// What to do about it.
    pub help: String,
    /// Whether the same call may succeed later, unchanged.
    pub retryable: bool,
    /// Whether a failed write took place.
    pub applied: Applied,
    /// The id of the request, as the server logged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// How long to wait before a retry, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The version that stands, where the call expected another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_version: Option<u64>,
    /// Values that would have been accepted, where there are few.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub valid_values: Vec<String>,
}

impl Problem {
    /// A problem of the given code, certainly not applied.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>, help: impl Into<String>) -> Self {
        let entry = code.entry();
        Self {
            kind: format!("/v1/errors/{}", entry.code),
            title: entry.title.into(),
            status: entry.http,
            code,
            error: code.token_error().map(str::to_owned),
            detail: detail.into(),
            help: help.into(),
            retryable: entry.retryable,
            applied: Applied::No,
            request_id: None,
            retry_after_ms: None,
            current_version: None,
            valid_values: Vec::new(),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.detail, self.code)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_unique_and_has_a_page_that_says_how_to_fix_it() {
        let mut seen = std::collections::BTreeSet::new();
        for code in Code::ALL {
            let entry = code.entry();
            assert!(seen.insert(entry.code), "{} stands twice", entry.code);
            assert_eq!(Code::find(entry.code), Some(*code));
            assert!(entry.page.starts_with(&format!("# {}\n", entry.code)), "{}", entry.code);
            assert!(entry.page.contains("\n## What to do\n"), "{}", entry.code);
            assert_eq!(serde_json::to_value(code).unwrap(), entry.code);
        }
    }
}
