//! The rules of conversations.

mod changing;
mod exporting;
mod messages;
mod turns;

pub(super) use changing::{CHANGE_ATTEMPTS, pause_after};
pub(super) use messages::placed;

use super::REQUEST_MEMO_MS;
use super::parse::{self, Body, Head};
use super::port::{ConversationLimits, ConversationStore, Lifetime, ListQuery, Lookup, Owner, Record, Summary};
use super::refusals::not_found;
use crate::error::{Error, Result};
use crate::mail::RequestMemo;
use crate::{Caller, Clock, Mint, Scope};
use mainstay_api::conversations::{
    Conversation, ConversationSummary, DEFAULT_PAGE, ListConversations, MAX_PAGE, Retention, RetentionMode,
};
use mainstay_api::ids::RequestId;
use mainstay_api::page::Page;
use mainstay_api::{ConversationId, Subject, TenantId, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Reads that follow a use within this time do not note another, in milliseconds; a tenth of a life where that is less.
const MAX_UNNOTED_USE_MS: u64 = 60_000;

/// What is configured about conversations.
#[derive(Debug, Clone)]
pub struct ConversationRules {
    /// How long a conversation is kept where nobody says otherwise.
    pub retention: Retention,
    /// How long those of some tenants are kept.
    pub tenants: BTreeMap<TenantId, Retention>,
    /// The bounds of one conversation.
    pub limits: ConversationLimits,
    /// Most conversations of one user.
    pub max_conversations: u32,
    /// Largest message, in bytes as it is kept.
    pub max_message_bytes: usize,
}

impl Default for ConversationRules {
    /// 30 days since the last use, as the founding document says; 100,000 messages and 64 MiB a conversation, 256 KiB a
    /// message, 10,000 conversations a user.
    fn default() -> Self {
        Self {
            retention: Retention { mode: RetentionMode::Sliding, ttl_ms: 30 * 24 * 60 * 60 * 1_000 },
            tenants: BTreeMap::new(),
            limits: ConversationLimits { max_messages: 100_000, max_bytes: 64 * 1_024 * 1_024 },
            max_conversations: 10_000,
            max_message_bytes: 256 * 1_024,
        }
    }
}

/// Whose conversations a call is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// The caller's.
    Own,
    /// Those of another user, which needs the scope `conversations:admin`: of a token for users of its own tenant, of
    /// any other credential everywhere.
    Other {
        /// That user.
        subject: Subject,
        /// Why; what is recorded of the access says so.
        reason: String,
    },
}

/// Conversations: every operation, for every surface.
pub struct ConversationService {
    pub(super) store: Arc<dyn ConversationStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) mint: Arc<dyn Mint>,
    pub(super) rules: ConversationRules,
}

impl ConversationService {
    /// Conversations on a store.
    #[must_use]
    pub fn new(
        store: Arc<dyn ConversationStore>,
        clock: Arc<dyn Clock>,
        mint: Arc<dyn Mint>,
        rules: ConversationRules,
    ) -> Self {
        Self { store, clock, mint, rules }
    }

    /// Reads one of the caller's conversations, without its messages.
    ///
    /// # Errors
    /// `conversations.not_found`.
    pub async fn read(&self, caller: &Caller, id: &ConversationId) -> Result<Conversation> {
        let at = self.own(caller, Scope::ConversationsRead, id)?;
        let mut record = self.found(&at).await?;
        self.note_use(&at, &mut record.summary).await;
        parse::to_conversation(&at.owner, record)
    }

    /// Lists the caller's conversations, the one that changed last first.
    ///
    /// # Errors
    /// An invalid limit or cursor.
    pub async fn list(&self, caller: &Caller, list: ListConversations) -> Result<Page<ConversationSummary>> {
        caller.require(Scope::ConversationsRead)?;
        let query = ListQuery {
            owner: owner(caller),
            status: list.status,
            limit: page_limit(list.limit)?,
            after: list.cursor.as_deref().map(parse::from_cursor).transpose()?,
            now: self.clock.now(),
        };
        let owner = query.owner.clone();
        let page = self.store.list(query).await?;
        let items = page.rows.into_iter().map(|row| parse::to_summary(&owner, row)).collect::<Result<_>>()?;
        Ok(Page { items, next: page.next.as_ref().map(parse::to_cursor) })
    }

    /// Removes what has expired, at most `limit`; for the maintenance job.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn purge(&self, limit: u32) -> Result<u32> {
        self.store.purge(self.clock.now(), limit).await
    }

    /// One of the caller's conversations, now; whether there is one, the store says.
    pub(super) fn own(&self, caller: &Caller, scope: Scope, id: &ConversationId) -> Result<Lookup> {
        caller.require(scope)?;
        Ok(Lookup { owner: owner(caller), id: id.clone(), now: self.clock.now() })
    }

    pub(super) async fn found(&self, at: &Lookup) -> Result<Record> {
        self.store.find(at).await?.ok_or_else(|| not_found(&at.id))
    }

    /// Notes that a conversation was read, unless a use was noted a short time ago: a read is then a read. What was read
    /// is returned also where that cannot be noted, as in a store that is full.
    async fn note_use(&self, at: &Lookup, summary: &mut Summary) {
        let since = at.now.as_millis() - summary.accessed_at.as_millis();
        let unnoted_ms = (summary.lifetime.retention.ttl_ms / 10).min(MAX_UNNOTED_USE_MS);
        if !u64::try_from(since).is_ok_and(|since| since > unnoted_ms) {
            return;
        }
        match self.store.touch(at).await {
            Ok(true) => {
                summary.accessed_at = at.now;
                summary.expires_at = summary.lifetime.after_use(at.now, summary.expires_at);
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(id = %at.id, %error, "the use of a conversation could not be noted"),
        }
    }

    fn lifetime(&self, tenant: &TenantId, asked: Option<Retention>, pinned: bool) -> Result<Lifetime> {
        let configured = self.rules.tenants.get(tenant).unwrap_or(&self.rules.retention);
        Ok(Lifetime { retention: asked.map_or(Ok(*configured), parse::retention)?, pinned })
    }

    /// What remembers a request: its id is one of the caller's, and no other request may have the same.
    pub(super) fn memo<T: Serialize>(
        &self,
        caller: &Caller,
        id: Option<RequestId>,
        request: &T,
    ) -> Result<Option<RequestMemo>> {
        id.map(|id| {
            Ok(RequestMemo {
                key: format!("{} {id}", caller.principal),
                fingerprint: parse::fingerprint(request)?,
                until: Timestamp::from_millis(self.clock.now().as_millis() + REQUEST_MEMO_MS),
            })
        })
        .transpose()
    }
}

/// The owner of the caller's conversations.
fn owner(caller: &Caller) -> Owner {
    Owner { namespace: caller.namespace.clone(), subject: caller.subject.clone() }
}

fn page_limit(limit: Option<u32>) -> Result<u32> {
    match limit.unwrap_or(DEFAULT_PAGE) {
        limit if (1..=MAX_PAGE).contains(&limit) => Ok(limit),
        limit => Err(Error::invalid(format!("limit: {limit}; ask for 1 to {MAX_PAGE}"))),
    }
}
