//! The services of this process as a backend.

use super::backend::{Backend, Result, Watched};
use super::{McpParts, changes, guidance};
use crate::access::{Act, Audited, Ended, Needs, Origin, record_of};
use crate::conversations::{answered, by_user};
use crate::events::Way;
use crate::live::SAFETY_READ;
use crate::metrics::Transport;
use crate::whoami;
use async_trait::async_trait;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use http::StatusCode;
use mainstay_api::Code;
use mainstay_api::conversations::{
    Answered, AppendMessages, AppendedMessages, Conversation, ConversationSummary, CreateConversation,
    CreatedConversation, DeletedConversation, ForkConversation, ListConversations, MessagePage, ReadMessages, SendText,
};
use mainstay_api::documents::{
    CollectionName, Committed, Document, DocumentKey, DocumentsPage, ListDocuments, Transaction,
};
use mainstay_api::events::{EventPage, PublishEvents, PublishedEvents, ReadEvents, StreamList, StreamName};
use mainstay_api::identity::WhoAmI;
use mainstay_api::ids::RequestId;
use mainstay_api::mail::{
    AckMessage, Acknowledged, Inbox, InboxCounts, ListMessages, MAX_WAIT_MS, MarkRead, MarkedRead, Message,
    MessageTypes, ReadInbox, SendMessage, Sent, Start,
};
use mainstay_api::page::Page;
use mainstay_api::presence::{Heartbeat, Instance, Presence, PresenceChanged, RegisterInstance};
use mainstay_api::providers::{
    Pool, PoolList, PoolType, Provider, ProviderId, ProvidersReset, ResetProviders, SetBreaker,
};
use mainstay_api::{ConversationId, InstanceId, MessageId, Problem, RawJson, Timestamp};
use mainstay_core::documents::DocumentName;
use mainstay_core::providers::{InPool, SettingsChange};
use mainstay_core::{Caller, Error, Topic};
use mainstay_hub::Wake;
use rmcp::model::CallToolResult;
use std::time::Duration;
use tokio::time::Instant;

/// The services of this process, on behalf of one caller.
pub struct LocalBackend {
    parts: McpParts,
    caller: Caller,
    origin: Origin,
}

impl LocalBackend {
    /// A backend on the services of this process.
    #[must_use]
    pub(crate) fn new(parts: McpParts, caller: Caller, origin: Origin) -> Self {
        Self { parts, caller, origin }
    }
}

/// How a call ended, as its result tells: an error has its code where programs look for it.
fn ended(result: &CallToolResult) -> Ended {
    let code = guidance::code(result);
    let status = match code {
        Some(code) => StatusCode::from_u16(code.entry().http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        None if result.is_error == Some(true) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    let answer = result.structured_content.as_ref();
    Ended { status, code, resource_id: answer.and_then(|answer| Some(answer["id"].as_str()?.to_owned())) }
}

/// What the caller is told of an error; the rest goes to the log.
pub(super) fn told(error: Error) -> Box<Problem> {
    if let Some(internal) = &error.internal {
        tracing::warn!(code = %error.problem.code, detail = %error.problem.detail, internal, "call failed");
    }
    error.problem
}

#[async_trait]
impl Backend for LocalBackend {
    fn instance(&self) -> Option<&InstanceId> {
        self.caller.instance.as_ref()
    }

    fn allows(&self, needs: Needs) -> Result<()> {
        needs.check(&self.caller).map_err(told)
    }

    async fn refused(&self, code: Code) {
        self.parts.services.refused(Some(&self.caller), &self.origin, code).await;
    }

    async fn recorded<'a>(
        &'a self,
        audited: Audited,
        resource: Option<String>,
        call: BoxFuture<'a, CallToolResult>,
    ) -> Result<CallToolResult> {
        let mut record = record_of(audited, Some(&self.caller), &self.origin);
        if let Some(known) = &mut record.resource {
            known.id = resource;
        }
        let act = Act::begin(&self.parts.services, audited, record).await.map_err(told)?;
        let result = call.await;
        act.end(ended(&result)).await.map_err(told)?;
        Ok(result)
    }

    fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    async fn whoami(&self) -> Result<WhoAmI> {
        Ok(whoami::who(&self.caller))
    }

    async fn send(&self, request: Option<RequestId>, send: SendMessage) -> Result<Sent> {
        let sent = self.parts.services.mail.send(&self.caller, request, send).await.map_err(told)?;
        if !sent.replayed {
            self.parts.services.metrics.sent(&sent.message.content.kind);
        }
        Ok(sent)
    }

    async fn list(&self, list: ListMessages) -> Result<Page<Message>> {
        self.parts.services.mail.list(&self.caller, list).await.map_err(told)
    }

    async fn read(&self, id: &MessageId) -> Result<Message> {
        self.parts.services.mail.read(&self.caller, id).await.map_err(told)
    }

    async fn inbox(&self, mut read: ReadInbox) -> Result<Inbox> {
        let wait = Duration::from_millis(read.wait_ms.take().unwrap_or(0).min(MAX_WAIT_MS));
        let deadline = Instant::now() + wait;
        // The watch exists before the first read: no message falls between the two.
        let instance = self.caller.instance.as_ref().filter(|_| !wait.is_zero());
        let mut watch = instance
            .map(|name| self.parts.services.hub.watch(Topic::Mail(self.caller.namespace.clone(), name.clone())));
        loop {
            let inbox = self.parts.services.mail.inbox(&self.caller, &read).await.map_err(told)?;
            let idle = inbox.messages.is_empty() && !inbox.more && inbox.gap.is_none();
            let left = deadline.saturating_duration_since(Instant::now());
            let Some(watch) = watch.as_mut().filter(|_| idle && !left.is_zero()) else {
                return Ok(inbox);
            };
            if watch.changed(left.min(SAFETY_READ)).await == Wake::Closed {
                return Ok(inbox);
            }
            // Everything up to here was examined, so that what follows is new.
            read.after = Start::After(inbox.position);
        }
    }

    async fn acknowledge(&self, id: &MessageId, ack: AckMessage) -> Result<Acknowledged> {
        let acknowledged = self.parts.services.mail.acknowledge(&self.caller, id, ack).await.map_err(told)?;
        if !acknowledged.already {
            self.parts.services.metrics.acknowledged();
        }
        Ok(acknowledged)
    }

    async fn mark_read(&self, mark: MarkRead) -> Result<MarkedRead> {
        self.parts.services.mail.mark_read(&self.caller, mark.ids).await.map_err(told)
    }

    async fn counts(&self) -> Result<InboxCounts> {
        self.parts.services.mail.counts(&self.caller).await.map_err(told)
    }

    async fn types(&self) -> Result<MessageTypes> {
        Ok(self.parts.services.mail.types())
    }

    async fn presence(&self) -> Result<Presence> {
        self.parts.services.presence.list(&self.caller).await.map_err(told)
    }

    async fn register(&self, instance: &InstanceId, details: RegisterInstance) -> Result<Instance> {
        self.parts.services.presence.register(&self.caller, instance, details).await.map_err(told)
    }

    async fn heartbeat(&self, instance: &InstanceId, heartbeat: Heartbeat) -> Result<PresenceChanged> {
        self.parts.services.presence.heartbeat(&self.caller, instance, heartbeat).await.map_err(told)
    }

    async fn unregister(&self, instance: &InstanceId, session_id: Option<String>) -> Result<PresenceChanged> {
        let presence = &self.parts.services.presence;
        presence.unregister(&self.caller, instance, session_id.as_deref()).await.map_err(told)
    }

    async fn document(&self, collection: &CollectionName, key: &DocumentKey) -> Result<Document> {
        let name = DocumentName { collection: collection.clone(), key: key.clone() };
        self.parts.services.documents.read(&self.caller, &name, false).await.map_err(told)
    }

    async fn documents(&self, collection: &CollectionName, list: ListDocuments) -> Result<DocumentsPage> {
        self.parts.services.documents.list(&self.caller, collection.clone(), list).await.map_err(told)
    }

    async fn write_documents(&self, request: Option<RequestId>, transaction: Transaction) -> Result<Committed> {
        self.parts.services.documents.write(&self.caller, request, &transaction).await.map_err(told)
    }

    async fn pools(&self) -> Result<PoolList> {
        self.parts.services.providers.pools(&self.caller).await.map_err(told)
    }

    async fn pool(&self, pool: &PoolType) -> Result<Pool> {
        self.parts.services.providers.pool(&self.caller, pool.clone(), false).await.map_err(told)
    }

    async fn provider(&self, pool: &PoolType, provider: &ProviderId) -> Result<Provider> {
        self.parts.services.providers.provider(&self.caller, in_pool(pool, provider), false).await.map_err(told)
    }

    async fn patch_provider(
        &self,
        pool: &PoolType,
        provider: &ProviderId,
        (patch, expected): (RawJson, Option<u64>),
    ) -> Result<Provider> {
        let change = (SettingsChange::Patch(patch), expected);
        self.parts.services.providers.set(&self.caller, in_pool(pool, provider), change).await.map_err(told)
    }

    async fn reset_providers(
        &self,
        pool: &PoolType,
        provider: Option<&ProviderId>,
        reset: ResetProviders,
    ) -> Result<ProvidersReset> {
        let which = (pool.clone(), provider.cloned());
        self.parts.services.providers.reset(&self.caller, which, reset).await.map_err(told)
    }

    async fn set_breaker(&self, pool: &PoolType, provider: &ProviderId, set: SetBreaker) -> Result<Provider> {
        self.parts.services.providers.set_breaker(&self.caller, in_pool(pool, provider), set).await.map_err(told)
    }

    async fn conversation_create(
        &self,
        request: Option<RequestId>,
        create: CreateConversation,
    ) -> Result<CreatedConversation> {
        self.parts.services.conversations.create(&self.caller, request, create).await.map_err(told)
    }

    async fn conversations(&self, list: ListConversations) -> Result<Page<ConversationSummary>> {
        self.parts.services.conversations.list(&self.caller, list).await.map_err(told)
    }

    async fn conversation(&self, id: &ConversationId) -> Result<Conversation> {
        self.parts.services.conversations.read(&self.caller, id).await.map_err(told)
    }

    async fn conversation_messages(&self, id: &ConversationId, read: ReadMessages) -> Result<MessagePage> {
        self.parts.services.conversations.messages(&self.caller, id, read).await.map_err(told)
    }

    async fn conversation_append(
        &self,
        request: Option<RequestId>,
        id: &ConversationId,
        append: AppendMessages,
    ) -> Result<AppendedMessages> {
        let services = &self.parts.services;
        let appended = services.conversations.append(&self.caller, request, id, append).await.map_err(told)?;
        if !appended.replayed {
            services.metrics.appended(appended.messages.len());
        }
        Ok(appended)
    }

    async fn conversation_fork(
        &self,
        request: Option<RequestId>,
        id: &ConversationId,
        fork: ForkConversation,
    ) -> Result<CreatedConversation> {
        self.parts.services.conversations.fork(&self.caller, request, id, fork).await.map_err(told)
    }

    async fn publish_events(
        &self,
        request: Option<RequestId>,
        stream: &StreamName,
        publish: PublishEvents,
    ) -> Result<PublishedEvents> {
        let way = Way { stream, from: Transport::Mcp, request: request.as_ref() };
        self.parts.services.publisher.publish(&self.caller, way, publish).await.map_err(told)
    }

    async fn read_events(&self, stream: &StreamName, read: ReadEvents) -> Result<EventPage> {
        self.parts.services.events.read(&self.caller, stream, read).await.map_err(told)
    }

    async fn event_streams(&self) -> Result<StreamList> {
        self.parts.services.events.list(&self.caller).await.map_err(told)
    }

    async fn conversation_delete(&self, id: &ConversationId) -> Result<DeletedConversation> {
        self.parts.services.conversations.delete(&self.caller, id).await.map_err(told)
    }

    async fn chat_send(&self, request: Option<RequestId>, id: &ConversationId, send: SendText) -> Result<Answered> {
        let say = by_user(send).map_err(told)?;
        let said = self.parts.services.say(&self.caller, request, id, say).await.map_err(told)?;
        Ok(answered(id.clone(), said))
    }

    fn changes(&self, watched: Watched) -> BoxStream<'static, ()> {
        match (watched, &self.caller.instance) {
            (Watched::Mailbox, Some(instance)) => {
                changes::mailbox(self.parts.clone(), self.caller.clone(), instance.clone())
            }
            (Watched::Mailbox, None) => stream::empty().boxed(),
            (Watched::Presence, _) => changes::presence(self.parts.clone(), self.caller.clone()),
        }
    }
}

fn in_pool(pool: &PoolType, provider: &ProviderId) -> InPool {
    InPool { pool: pool.clone(), provider: provider.clone() }
}
