//! What the tools, resources and prompts stand on: the services of this process, or a server elsewhere.

use crate::access::{Audited, Needs};
use async_trait::async_trait;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
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
    AckMessage, Acknowledged, Inbox, InboxCounts, ListMessages, MarkRead, MarkedRead, Message, MessageTypes, ReadInbox,
    SendMessage, Sent,
};
use mainstay_api::page::Page;
use mainstay_api::presence::{Heartbeat, Instance, Presence, PresenceChanged, RegisterInstance};
use mainstay_api::providers::{
    Pool, PoolList, PoolType, Provider, ProviderId, ProvidersReset, ResetProviders, SetBreaker,
};
use mainstay_api::{Code, ConversationId, InstanceId, MessageId, Problem, RawJson, Timestamp};
use mainstay_core::Scope;
use rmcp::model::CallToolResult;

/// The result of a call; the error is what the caller is told.
pub type Result<T, E = Box<Problem>> = std::result::Result<T, E>;

/// What a client can be told the changes of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Watched {
    /// The caller's own mailbox.
    Mailbox,
    /// The presence of the namespace.
    Presence,
}

impl Watched {
    /// What a caller needs to be told.
    #[must_use]
    pub fn needs(self) -> Needs {
        match self {
            Self::Mailbox => Needs::Scope(Scope::MailRead),
            Self::Presence => Needs::Scope(Scope::PresenceRead),
        }
    }
}

/// The operations that the adapter needs, on behalf of one caller.
///
/// A failed call returns the problem that it met. Dropping a future of a read ends the call.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    /// The instance that the caller speaks for, where it has one.
    fn instance(&self) -> Option<&InstanceId>;

    /// Refuses a caller that lacks what a tool needs. A backend on a server elsewhere leaves that to the server.
    ///
    /// # Errors
    /// `auth.forbidden`.
    fn allows(&self, needs: Needs) -> Result<()>;

    /// Counts and records that a call was refused. A backend on a server elsewhere leaves that to the server.
    async fn refused(&self, code: Code);

    /// Makes a call that is recorded in the audit trail. A backend on a server elsewhere leaves that to the server.
    ///
    /// # Errors
    /// `audit.unavailable`: the call did not take place, or its answer is withheld.
    async fn recorded<'a>(
        &'a self,
        audited: Audited,
        resource: Option<String>,
        call: BoxFuture<'a, CallToolResult>,
    ) -> Result<CallToolResult>;

    /// The present, for the age of heartbeats.
    fn now(&self) -> Timestamp;

    /// Who the caller is.
    async fn whoami(&self) -> Result<WhoAmI>;

    /// Sends a message; with a request id, a repetition returns the first result.
    async fn send(&self, request: Option<RequestId>, send: SendMessage) -> Result<Sent>;

    /// Lists messages of the namespace.
    async fn list(&self, list: ListMessages) -> Result<Page<Message>>;

    /// Reads one message with every receipt. Marks nothing.
    async fn read(&self, id: &MessageId) -> Result<Message>;

    /// Reads the caller's inbox, and waits for mail as long as `wait_ms` says.
    async fn inbox(&self, read: ReadInbox) -> Result<Inbox>;

    /// Acknowledges a message.
    async fn acknowledge(&self, id: &MessageId, ack: AckMessage) -> Result<Acknowledged>;

    /// Marks messages in the caller's inbox as read.
    async fn mark_read(&self, mark: MarkRead) -> Result<MarkedRead>;

    /// Counts the caller's mail.
    async fn counts(&self) -> Result<InboxCounts>;

    /// The types that a send accepts.
    async fn types(&self) -> Result<MessageTypes>;

    /// Every instance of the namespace.
    async fn presence(&self) -> Result<Presence>;

    /// Registers an instance.
    async fn register(&self, instance: &InstanceId, details: RegisterInstance) -> Result<Instance>;

    /// Records a sign of life.
    async fn heartbeat(&self, instance: &InstanceId, heartbeat: Heartbeat) -> Result<PresenceChanged>;

    /// Ends a registration, where the run holds the name or none is given.
    async fn unregister(&self, instance: &InstanceId, session_id: Option<String>) -> Result<PresenceChanged>;

    /// Reads a document, with masks in the place of secrets.
    async fn document(&self, collection: &CollectionName, key: &DocumentKey) -> Result<Document>;

    /// Lists documents of a collection.
    async fn documents(&self, collection: &CollectionName, list: ListDocuments) -> Result<DocumentsPage>;

    /// Changes documents together; with a request id, a repetition returns the first result.
    async fn write_documents(&self, request: Option<RequestId>, transaction: Transaction) -> Result<Committed>;

    /// The pools of providers.
    async fn pools(&self) -> Result<PoolList>;

    /// A pool with its providers, with masks in the place of secrets.
    async fn pool(&self, pool: &PoolType) -> Result<Pool>;

    /// One provider, with masks in the place of secrets.
    async fn provider(&self, pool: &PoolType, provider: &ProviderId) -> Result<Provider>;

    /// Merges the settings of a provider with a patch, where they have the version that is expected.
    async fn patch_provider(
        &self,
        pool: &PoolType,
        provider: &ProviderId,
        patch: (RawJson, Option<u64>),
    ) -> Result<Provider>;

    /// Sets counters or health back, of one provider or of all in a pool.
    async fn reset_providers(
        &self,
        pool: &PoolType,
        provider: Option<&ProviderId>,
        reset: ResetProviders,
    ) -> Result<ProvidersReset>;

    /// Forces the circuit of a provider open, or closes it.
    async fn set_breaker(&self, pool: &PoolType, provider: &ProviderId, set: SetBreaker) -> Result<Provider>;

    /// Begins a conversation of the caller's user.
    async fn conversation_create(
        &self,
        request: Option<RequestId>,
        create: CreateConversation,
    ) -> Result<CreatedConversation>;

    /// Lists the user's conversations.
    async fn conversations(&self, list: ListConversations) -> Result<Page<ConversationSummary>>;

    /// Reads one conversation, without its messages.
    async fn conversation(&self, id: &ConversationId) -> Result<Conversation>;

    /// Reads messages of a conversation.
    async fn conversation_messages(&self, id: &ConversationId, read: ReadMessages) -> Result<MessagePage>;

    /// Appends messages to a conversation.
    async fn conversation_append(
        &self,
        request: Option<RequestId>,
        id: &ConversationId,
        append: AppendMessages,
    ) -> Result<AppendedMessages>;

    /// Begins a conversation with a copy of another one's messages.
    async fn conversation_fork(
        &self,
        request: Option<RequestId>,
        id: &ConversationId,
        fork: ForkConversation,
    ) -> Result<CreatedConversation>;

    /// Deletes a conversation.
    async fn conversation_delete(&self, id: &ConversationId) -> Result<DeletedConversation>;

    /// Says something to the agent, and waits for its answer.
    async fn chat_send(&self, request: Option<RequestId>, id: &ConversationId, send: SendText) -> Result<Answered>;

    /// Publishes events to a stream.
    async fn publish_events(
        &self,
        request: Option<RequestId>,
        stream: &StreamName,
        publish: PublishEvents,
    ) -> Result<PublishedEvents>;

    /// Reads events of a stream.
    async fn read_events(&self, stream: &StreamName, read: ReadEvents) -> Result<EventPage>;

    /// The streams, and what they hold.
    async fn event_streams(&self) -> Result<StreamList>;

    /// Changes from now on, one item for any number of them; an item may be superfluous. A mailbox with unread mail
    /// begins with an item, so that a client which subscribes late still learns of it. Ends when nothing will be
    /// heard any more.
    fn changes(&self, watched: Watched) -> BoxStream<'static, ()>;
}
