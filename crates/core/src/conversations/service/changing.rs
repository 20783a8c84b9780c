//! Beginning, changing, forking and deleting.

use super::{Body, ConversationService, Head, owner};
use crate::conversations::parse;
use crate::conversations::port::{Create, Created, Fork, Forked, Lookup, Patch, Patched, Record};
use crate::conversations::refusals::{conflict, exists, memo_mismatch, not_found, too_many};
use crate::error::{Error, Result};
use crate::{Caller, Scope};
use mainstay_api::ConversationId;
use mainstay_api::conversations::{
    Conversation, CreateConversation, CreatedConversation, DeletedConversation, ForkConversation, ForkedFrom,
    PatchConversation,
};
use mainstay_api::errors::Applied;
use mainstay_api::ids::RequestId;
use serde_json::Value;
use std::time::Duration;

/// How often a change that names no version is tried while others change the same conversation.
pub(in crate::conversations) const CHANGE_ATTEMPTS: u32 = 16;

impl ConversationService {
    /// Begins a conversation. With a request id, a repetition returns the first one.
    ///
    /// # Errors
    /// `conversations.exists`, `conversations.too_many`, `request.id_reused`, or an invalid request.
    pub async fn create(
        &self,
        caller: &Caller,
        request: Option<RequestId>,
        create: CreateConversation,
    ) -> Result<CreatedConversation> {
        caller.require(Scope::ConversationsWrite)?;
        let memo = self.memo(caller, request, &("create", &create))?;
        let id = create.id.unwrap_or_else(|| self.mint.conversation_id());
        let head = Head {
            external_id: create.external_id.unwrap_or_else(|| id.as_str().to_owned()),
            title: create.title,
            workflow_id: create.workflow_id,
            current_step: create.current_step,
            forked_from: None,
        };
        head.check()?;
        let body = Body {
            sdk_conversation_ref: create.sdk_conversation_ref,
            step_data: create.step_data,
            metadata: create.metadata,
        };
        let create = Create {
            at: Lookup { owner: owner(caller), id, now: self.clock.now() },
            status: create.status,
            head: parse::to_bytes(&head)?,
            body: body.to_bytes()?,
            workflow: parse::workflow(create.workflow.as_ref())?,
            lifetime: self.lifetime(&caller.subject.tenant, create.retention, create.pinned)?,
            max_conversations: self.rules.max_conversations,
            memo,
        };
        let (at, record) = (create.at.clone(), create.record());
        let created = self.store.create(create).await?;
        self.created(at, created, Some(record)).await
    }

    /// Changes one of the caller's conversations.
    ///
    /// # Errors
    /// `conversations.not_found`, `conversations.version_conflict`, or an invalid request.
    pub async fn patch(&self, caller: &Caller, id: &ConversationId, patch: PatchConversation) -> Result<Conversation> {
        let at = self.own(caller, Scope::ConversationsWrite, id)?;
        let mut attempts = 0;
        loop {
            let record = self.found(&at).await?;
            let current = record.summary.version;
            if patch.expected_version.is_some_and(|expected| expected != current) {
                return Err(conflict(current));
            }
            let (change, changed) = self.change(&at, record, patch.clone())?;
            match self.store.patch(change).await? {
                Patched::Patched => {
                    tracing::info!(id = %at.id, version = changed.summary.version, "conversation changed");
                    return parse::to_conversation(&at.owner, changed);
                }
                Patched::NotFound => return Err(not_found(id)),
                Patched::Conflict { current } => {
                    attempts += 1;
                    if patch.expected_version.is_some() || attempts >= CHANGE_ATTEMPTS {
                        return Err(conflict(current));
                    }
                    pause_after(attempts).await;
                }
            }
        }
    }

    /// Begins a conversation with a copy of the messages of one of the caller's. With a request id, a repetition
    /// returns the first one. The workflow and the data of its step are copied where all messages are.
    ///
    /// # Errors
    /// `conversations.not_found`, `conversations.exists`, `conversations.too_many`, or an invalid request.
    pub async fn fork(
        &self,
        caller: &Caller,
        request: Option<RequestId>,
        source: &ConversationId,
        fork: ForkConversation,
    ) -> Result<CreatedConversation> {
        let from = self.own(caller, Scope::ConversationsWrite, source)?;
        let memo = self.memo(caller, request, &("fork", source, &fork))?;
        let record = self.found(&from).await?;
        let count = record.summary.messages;
        let up_to = fork.up_to.unwrap_or(count);
        if up_to > count {
            return Err(Error::invalid(format!("upTo: {up_to}; the conversation has {count} messages")));
        }
        let id = fork.id.unwrap_or_else(|| self.mint.conversation_id());
        let mut head: Head = parse::from_bytes(&record.summary.head)?;
        let mut body: Body = parse::from_bytes(&record.body)?;
        let whole = up_to == count;
        if !whole {
            (head.current_step, body.step_data) = (None, None);
        }
        head.external_id = id.as_str().to_owned();
        head.title = fork.title.or(head.title);
        head.forked_from = Some(ForkedFrom { id: source.clone(), seq: up_to });
        head.check()?;
        let create = Create {
            at: Lookup { owner: from.owner, id, now: from.now },
            status: record.summary.status,
            head: parse::to_bytes(&head)?,
            body: body.to_bytes()?,
            workflow: record.workflow.filter(|_| whole),
            lifetime: record.summary.lifetime,
            max_conversations: self.rules.max_conversations,
            memo,
        };
        let at = create.at.clone();
        match self.store.fork(Fork { create, source: source.clone(), up_to }).await? {
            Forked::Created(created) => self.created(at, created, None).await,
            Forked::NoSource => Err(not_found(source)),
        }
    }

    /// Deletes one of the caller's conversations with its messages.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn delete(&self, caller: &Caller, id: &ConversationId) -> Result<DeletedConversation> {
        let at = self.own(caller, Scope::ConversationsWrite, id)?;
        let deleted = self.store.delete(&at).await?;
        tracing::info!(%id, deleted, "conversation deleted");
        Ok(DeletedConversation { deleted })
    }

    async fn created(&self, at: Lookup, created: Created, record: Option<Record>) -> Result<CreatedConversation> {
        let (at, replayed) = match created {
            Created::Created => (at, false),
            Created::Replayed(id) => (Lookup { id, ..at }, true),
            Created::Exists => return Err(exists(&at.id)),
            Created::MemoMismatch => return Err(memo_mismatch()),
            Created::TooMany => return Err(too_many(self.rules.max_conversations)),
        };
        let record = match record {
            Some(record) if !replayed => record,
            _ => self.found(&at).await.map_err(|mut error| {
                // It was begun, and is gone since.
                if error.code() == mainstay_api::Code::ConversationNotFound {
                    error.problem.applied = Applied::Yes;
                }
                error
            })?,
        };
        if !replayed {
            tracing::info!(id = %at.id, "conversation begun");
        }
        Ok(CreatedConversation { conversation: parse::to_conversation(&at.owner, record)?, replayed })
    }

    /// The change that a patch makes of a conversation, and what it is afterwards.
    fn change(&self, at: &Lookup, record: Record, patch: PatchConversation) -> Result<(Patch, Record)> {
        let mut head: Head = parse::from_bytes(&record.summary.head)?;
        let mut body: Body = parse::from_bytes(&record.body)?;
        let mut workflow: Option<Value> = record.workflow.as_deref().map(parse::from_bytes).transpose()?;
        set(&mut head.title, patch.title);
        set(&mut head.workflow_id, patch.workflow_id);
        set(&mut head.current_step, patch.current_step);
        set(&mut body.sdk_conversation_ref, patch.sdk_conversation_ref);
        merge(&mut body.step_data, patch.step_data);
        merge(&mut body.metadata, patch.metadata);
        merge(&mut workflow, patch.workflow);
        head.check()?;
        let before = record.summary.lifetime;
        let lifetime = if patch.retention.is_some() || patch.pinned.is_some_and(|pinned| pinned != before.pinned) {
            let retention = patch.retention.or(Some(before.retention));
            let pinned = patch.pinned.unwrap_or(before.pinned);
            Some(self.lifetime(&at.owner.subject.tenant, retention, pinned)?)
        } else {
            None
        };
        let change = Patch {
            at: at.clone(),
            expected_version: record.summary.version,
            status: patch.status.unwrap_or(record.summary.status),
            head: parse::to_bytes(&head)?,
            body: body.to_bytes()?,
            workflow: parse::workflow(workflow.as_ref())?,
            lifetime,
        };
        Ok((change.clone(), change.applied_to(record)))
    }
}

/// Waits before the next attempt of a change, 2 ms longer each time: a quarter of a second in all, in which those who
/// were faster get done.
pub(in crate::conversations) async fn pause_after(attempts: u32) {
    tokio::time::sleep(Duration::from_millis(2) * attempts).await;
}

fn set<T>(field: &mut Option<T>, given: Option<Option<T>>) {
    if let Some(value) = given {
        *field = value;
    }
}

fn merge(field: &mut Option<Value>, given: Option<Option<Value>>) {
    match given {
        None => {}
        Some(None) => *field = None,
        Some(Some(patch)) => *field = Some(parse::merge(field.take().unwrap_or(Value::Null), patch)),
    }
}
