//! Calls about conversations.

use crate::call::{Call, path};
use crate::events::{ConversationEvents, Follow, FollowConversation};
use crate::lines::lines;
use crate::{Client, Result};
use futures::stream::BoxStream;
use http::Method;
use mainstay_api::conversations::{
    Answered, AppendMessages, AppendedMessages, Conversation, ConversationSummary, CreateConversation,
    CreatedConversation, DeletedConversation, EndTurn, EndedTurn, ErasedConversations, ExportLine, ForkConversation,
    ListConversations, MessagePage, PatchConversation, ReadMessages, RenewTurn, SendText, TakeTurn, Turn,
};
use mainstay_api::ids::RequestId;
use mainstay_api::page::Page;
use mainstay_api::{ConversationId, Subject};

/// How long an agent may take before this client gives up, in milliseconds, on top of what any answer may take. The
/// server has a bound of its own.
const ANSWER_WAIT_MS: u64 = 10 * 60 * 1_000;

/// Calls about the caller's conversations, see [`Client::conversations`].
pub struct Conversations<'a>(pub(crate) &'a Client);

impl Conversations<'_> {
    /// Begins a conversation. With the same request id, a repetition returns the first one.
    ///
    /// # Errors
    /// `conversations.exists`, `conversations.too_many`, `request.id_reused`, or an invalid request.
    pub async fn create(&self, create: &CreateConversation, request: Option<RequestId>) -> Result<CreatedConversation> {
        self.0.call(Call::write(Method::POST, path(&["v1", "conversations"]), request)?.json(create)?).await
    }

    /// One page of summaries, the conversation that changed last first.
    ///
    /// # Errors
    /// `page.invalid_cursor`, or an invalid request.
    pub async fn list(&self, list: &ListConversations) -> Result<Page<ConversationSummary>> {
        self.0.call(Call::get(path(&["v1", "conversations"])).query(list)?).await
    }

    /// One conversation, without its messages.
    ///
    /// # Errors
    /// `conversations.not_found`.
    pub async fn read(&self, id: &ConversationId) -> Result<Conversation> {
        self.0.call(Call::get(of(id, &[]))).await
    }

    /// Changes a conversation.
    ///
    /// # Errors
    /// `conversations.not_found`, `conversations.version_conflict`, or an invalid request.
    pub async fn patch(&self, id: &ConversationId, patch: &PatchConversation) -> Result<Conversation> {
        self.0.call(Call::write(Method::PATCH, of(id, &[]), None)?.json(patch)?).await
    }

    /// Deletes a conversation; one that is not there counts as deleted.
    ///
    /// # Errors
    /// Those of every call.
    pub async fn delete(&self, id: &ConversationId) -> Result<DeletedConversation> {
        self.0.call(Call::write(Method::DELETE, of(id, &[]), None)?).await
    }

    /// Appends messages, all of them or none. With the same request id, a repetition stores nothing twice.
    ///
    /// # Errors
    /// `conversations.not_found`, `conversations.version_conflict`, `conversations.turn_busy`,
    /// `conversations.turn_lost`, `conversations.full`, `request.id_reused`, or an invalid request.
    pub async fn append(
        &self,
        id: &ConversationId,
        append: &AppendMessages,
        request: Option<RequestId>,
    ) -> Result<AppendedMessages> {
        self.0.call(Call::write(Method::POST, of(id, &["messages"]), request)?.json(append)?).await
    }

    /// A page of messages, oldest first.
    ///
    /// # Errors
    /// `conversations.not_found`, or an invalid request.
    pub async fn messages(&self, id: &ConversationId, read: &ReadMessages) -> Result<MessagePage> {
        self.0.call(Call::get(of(id, &["messages"])).query(read)?).await
    }

    /// Says something and waits for the agent's answer. With the same request id, a repetition returns the first answer.
    ///
    /// # Errors
    /// Those of [`Self::append`], `conversations.agent_failed`, `conversations.agent_unavailable`.
    pub async fn send(&self, id: &ConversationId, send: &SendText, request: Option<RequestId>) -> Result<Answered> {
        let mut call = Call::write(Method::POST, of(id, &["send"]), request)?.json(send)?;
        call.wait_ms = ANSWER_WAIT_MS;
        self.0.call(call).await
    }

    /// Takes the turn: until it ends nobody else can append.
    ///
    /// # Errors
    /// `conversations.not_found`, `conversations.turn_busy`.
    pub async fn take_turn(&self, id: &ConversationId, take: &TakeTurn) -> Result<Turn> {
        self.0.call(Call::write(Method::POST, of(id, &["turn"]), None)?.json(take)?).await
    }

    /// Prolongs the turn.
    ///
    /// # Errors
    /// `conversations.not_found`, `conversations.turn_lost`.
    pub async fn renew_turn(&self, id: &ConversationId, renew: &RenewTurn) -> Result<Turn> {
        self.0.call(Call::write(Method::PUT, of(id, &["turn"]), None)?.json(renew)?).await
    }

    /// Ends the turn; one that has ended is left alone.
    ///
    /// # Errors
    /// `conversations.not_found`.
    pub async fn end_turn(&self, id: &ConversationId, end: &EndTurn) -> Result<EndedTurn> {
        self.0.call(Call::write(Method::DELETE, of(id, &["turn"]), None)?.query(end)?).await
    }

    /// Begins a conversation with a copy of another one's messages.
    ///
    /// # Errors
    /// `conversations.not_found`, `conversations.exists`, `conversations.too_many`, or an invalid request.
    pub async fn fork(
        &self,
        id: &ConversationId,
        fork: &ForkConversation,
        request: Option<RequestId>,
    ) -> Result<CreatedConversation> {
        self.0.call(Call::write(Method::POST, of(id, &["fork"]), request)?.json(fork)?).await
    }

    /// One conversation and its messages, as they are read. A stream that ends with an error is not complete.
    ///
    /// # Errors
    /// `conversations.not_found`.
    pub async fn export(&self, id: &ConversationId) -> Result<BoxStream<'static, Result<ExportLine>>> {
        Ok(lines(self.0.open(&Call::get(of(id, &["export"]))).await?))
    }

    /// Every conversation of the caller with its messages. A stream that ends with an error is not complete.
    ///
    /// # Errors
    /// Those of every call.
    pub async fn export_all(&self) -> Result<BoxStream<'static, Result<ExportLine>>> {
        Ok(lines(self.0.open(&Call::get(path(&["v1", "conversations", "export"]))).await?))
    }

    /// Erases every conversation of the caller, whose user has to be named.
    ///
    /// # Errors
    /// An invalid request where the name is another.
    pub async fn erase(&self, confirm: &str) -> Result<ErasedConversations> {
        let call = Call::write(Method::DELETE, path(&["v1", "conversations"]), None)?;
        self.0.call(call.query(&serde_json::json!({ "confirm": confirm }))?).await
    }

    /// Every conversation of another user, for an administrator with a reason, which is recorded.
    ///
    /// # Errors
    /// `auth.forbidden`.
    pub async fn export_of(&self, of: &Subject, reason: &str) -> Result<BoxStream<'static, Result<ExportLine>>> {
        Ok(lines(self.0.open(&Call::get(of_subject(of)).because(reason)).await?))
    }

    /// Erases every conversation of another user, for an administrator with a reason, which is recorded.
    ///
    /// # Errors
    /// `auth.forbidden`.
    pub async fn erase_of(&self, of: &Subject, reason: &str) -> Result<ErasedConversations> {
        self.0.call(Call::write(Method::DELETE, of_subject(of), None)?.because(reason)).await
    }

    /// The conversation, live: what is appended after this `seq`, or from now on. A lost connection is resumed where it
    /// broke, see [`ConversationEvents`].
    #[must_use]
    pub fn events(&self, id: ConversationId, after: Option<u64>) -> ConversationEvents {
        FollowConversation { id, after }.events(self.0.clone())
    }
}

/// A path beneath a conversation.
pub(crate) fn of(id: &ConversationId, rest: &[&str]) -> String {
    path(&[&["v1", "conversations", id.as_str()], rest].concat())
}

fn of_subject(subject: &Subject) -> String {
    let Subject { realm, tenant, user } = subject;
    path(&["v1", "subjects", realm.as_str(), tenant.as_str(), user.as_str(), "conversations"])
}
