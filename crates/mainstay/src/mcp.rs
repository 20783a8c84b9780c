//! What `mainstay mcp` stands on: the client of the command, so that a server elsewhere and a store in this process
//! are the same to a model.

use async_trait::async_trait;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, StreamExt};
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
    SendMessage, Sent, Start,
};
use mainstay_api::page::Page;
use mainstay_api::presence::{Heartbeat, Instance, Presence, PresenceChanged, RegisterInstance, UnregisterInstance};
use mainstay_api::providers::{
    Pool, PoolList, PoolType, Provider, ProviderId, ProvidersReset, ResetProviders, SetBreaker,
};
use mainstay_api::{Code, ConversationId, InstanceId, MessageId, Problem, RawJson, Timestamp};
use mainstay_client::{Client, ClientError, InboxEvent, PresenceChange};
use mainstay_core::{Clock, SystemClock};
use mainstay_server::mcp::{Backend, Watched};
use mainstay_server::{Audited, Needs};
use rmcp::model::CallToolResult;

/// A client as what the tools call.
pub struct ClientBackend {
    client: Client,
    instance: Option<InstanceId>,
}

impl ClientBackend {
    /// A backend on a client that speaks for this instance.
    pub fn new(client: Client, instance: Option<InstanceId>) -> Self {
        Self { client, instance }
    }
}

type Result<T> = std::result::Result<T, Box<Problem>>;

fn told<T>(answer: std::result::Result<T, ClientError>) -> Result<T> {
    answer.map_err(|error| Box::new(error.problem()))
}

#[async_trait]
impl Backend for ClientBackend {
    fn instance(&self) -> Option<&InstanceId> {
        self.instance.as_ref()
    }

    fn allows(&self, _needs: Needs) -> Result<()> {
        Ok(())
    }

    async fn refused(&self, _code: Code) {}

    async fn recorded<'a>(
        &'a self,
        _audited: Audited,
        _resource: Option<String>,
        call: BoxFuture<'a, CallToolResult>,
    ) -> Result<CallToolResult> {
        Ok(call.await)
    }

    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    async fn whoami(&self) -> Result<WhoAmI> {
        told(self.client.whoami().await)
    }

    async fn send(&self, request: Option<RequestId>, send: SendMessage) -> Result<Sent> {
        told(self.client.mail().send(&send, request).await)
    }

    async fn list(&self, list: ListMessages) -> Result<Page<Message>> {
        told(self.client.mail().list(&list).await)
    }

    async fn read(&self, id: &MessageId) -> Result<Message> {
        told(self.client.mail().message(id).await)
    }

    async fn inbox(&self, read: ReadInbox) -> Result<Inbox> {
        told(self.client.mail().inbox(&read).await)
    }

    async fn acknowledge(&self, id: &MessageId, ack: AckMessage) -> Result<Acknowledged> {
        told(self.client.mail().acknowledge(id, &ack).await)
    }

    async fn mark_read(&self, mark: MarkRead) -> Result<MarkedRead> {
        told(self.client.mail().mark_read(&mark).await)
    }

    async fn counts(&self) -> Result<InboxCounts> {
        told(self.client.mail().counts().await)
    }

    async fn types(&self) -> Result<MessageTypes> {
        told(self.client.mail().types().await)
    }

    async fn presence(&self) -> Result<Presence> {
        told(self.client.presence().list().await)
    }

    async fn register(&self, instance: &InstanceId, details: RegisterInstance) -> Result<Instance> {
        told(self.client.presence().register(instance, &details).await)
    }

    async fn heartbeat(&self, instance: &InstanceId, heartbeat: Heartbeat) -> Result<PresenceChanged> {
        told(self.client.presence().heartbeat(instance, &heartbeat).await)
    }

    async fn unregister(&self, instance: &InstanceId, session_id: Option<String>) -> Result<PresenceChanged> {
        told(self.client.presence().unregister(instance, &UnregisterInstance { session_id }).await)
    }

    async fn document(&self, collection: &CollectionName, key: &DocumentKey) -> Result<Document> {
        told(self.client.documents().read(collection, key).await)
    }

    async fn documents(&self, collection: &CollectionName, list: ListDocuments) -> Result<DocumentsPage> {
        told(self.client.documents().list(collection, &list).await)
    }

    async fn write_documents(&self, request: Option<RequestId>, transaction: Transaction) -> Result<Committed> {
        told(self.client.documents().write(&transaction, request).await)
    }

    async fn pools(&self) -> Result<PoolList> {
        told(self.client.providers().pools().await)
    }

    async fn pool(&self, pool: &PoolType) -> Result<Pool> {
        told(self.client.providers().pool(pool).await)
    }

    async fn provider(&self, pool: &PoolType, provider: &ProviderId) -> Result<Provider> {
        told(self.client.providers().provider(pool, provider).read().await)
    }

    async fn patch_provider(
        &self,
        pool: &PoolType,
        provider: &ProviderId,
        (patch, expected): (RawJson, Option<u64>),
    ) -> Result<Provider> {
        told(self.client.providers().provider(pool, provider).patch(&patch, expected).await)
    }

    async fn reset_providers(
        &self,
        pool: &PoolType,
        provider: Option<&ProviderId>,
        reset: ResetProviders,
    ) -> Result<ProvidersReset> {
        let providers = self.client.providers();
        told(match provider {
            Some(provider) => providers.provider(pool, provider).reset(&reset).await,
            None => providers.reset_pool(pool, &reset).await,
        })
    }

    async fn set_breaker(&self, pool: &PoolType, provider: &ProviderId, set: SetBreaker) -> Result<Provider> {
        told(self.client.providers().provider(pool, provider).set_breaker(&set).await)
    }

    async fn conversation_create(
        &self,
        request: Option<RequestId>,
        create: CreateConversation,
    ) -> Result<CreatedConversation> {
        told(self.client.conversations().create(&create, request).await)
    }

    async fn conversations(&self, list: ListConversations) -> Result<Page<ConversationSummary>> {
        told(self.client.conversations().list(&list).await)
    }

    async fn conversation(&self, id: &ConversationId) -> Result<Conversation> {
        told(self.client.conversations().read(id).await)
    }

    async fn conversation_messages(&self, id: &ConversationId, read: ReadMessages) -> Result<MessagePage> {
        told(self.client.conversations().messages(id, &read).await)
    }

    async fn conversation_append(
        &self,
        request: Option<RequestId>,
        id: &ConversationId,
        append: AppendMessages,
    ) -> Result<AppendedMessages> {
        told(self.client.conversations().append(id, &append, request).await)
    }

    async fn conversation_fork(
        &self,
        request: Option<RequestId>,
        id: &ConversationId,
        fork: ForkConversation,
    ) -> Result<CreatedConversation> {
        told(self.client.conversations().fork(id, &fork, request).await)
    }

    async fn publish_events(
        &self,
        request: Option<RequestId>,
        stream: &StreamName,
        publish: PublishEvents,
    ) -> Result<PublishedEvents> {
        told(self.client.events().publish(stream, &publish, request).await)
    }

    async fn read_events(&self, stream: &StreamName, read: ReadEvents) -> Result<EventPage> {
        told(self.client.events().read(stream, &read).await)
    }

    async fn event_streams(&self) -> Result<StreamList> {
        told(self.client.events().streams().await)
    }

    async fn conversation_delete(&self, id: &ConversationId) -> Result<DeletedConversation> {
        told(self.client.conversations().delete(id).await)
    }

    async fn chat_send(&self, request: Option<RequestId>, id: &ConversationId, send: SendText) -> Result<Answered> {
        told(self.client.conversations().send(id, &send, request).await)
    }

    fn changes(&self, watched: Watched) -> BoxStream<'static, ()> {
        match watched {
            Watched::Mailbox => {
                let read = ReadInbox { after: Start::Unread, ..ReadInbox::default() };
                let events = self.client.mail().inbox_events(read);
                changes(events, |event| matches!(event, InboxEvent::Message(_) | InboxEvent::Gap(_)))
            }
            Watched::Presence => {
                changes(self.client.presence().events(), |event| matches!(event, PresenceChange::Event(_)))
            }
        }
    }
}

/// The events that tell of a change, until the stream ends with an error that no repetition can mend.
fn changes<T: Send + 'static>(
    events: impl futures::Stream<Item = std::result::Result<T, ClientError>> + Send + 'static,
    tells: fn(&T) -> bool,
) -> BoxStream<'static, ()> {
    events
        .take_while(|event| {
            if let Err(error) = event {
                tracing::warn!(%error, "changes are not heard any more");
            }
            futures::future::ready(event.is_ok())
        })
        .filter_map(move |event| futures::future::ready(event.ok().filter(tells).map(drop)))
        .boxed()
}
