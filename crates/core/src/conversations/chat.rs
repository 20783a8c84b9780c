//! A chat that answers: the message of the user, the answer of the agent, and the state of the workflow, under one turn.

use super::agent::{Agent, AgentError, Prompt};
use super::port::{Append, Appended, From, Lookup, MessagesQuery, Renew, Settle, Take, Written};
use super::refusals::{memo_mismatch, too_many_turns, turn_busy, turn_lost};
use super::service::{CHANGE_ATTEMPTS, ConversationService, pause_after, placed};
use super::{Recalled, parse};
use crate::error::{Error, Result};
use crate::mail::RequestMemo;
use crate::{Caller, Scope};
use bytes::Bytes;
use mainstay_api::conversations::{CreateConversation, MAX_APPEND, Message, MessageState, NewMessage, Turn};
use mainstay_api::ids::RequestId;
use mainstay_api::{Code, ConversationId, Timestamp};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tracing::Instrument;

/// The lease of the turn of a chat, in milliseconds.
const LEASE_MS: u64 = 30_000;
/// How often it is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(10);

/// What is configured about chats.
#[derive(Debug, Clone)]
pub struct ChatRules {
    /// Longest time that an agent may take for an answer, in milliseconds.
    pub answer_timeout_ms: u64,
    /// Most messages that an agent is given.
    pub max_history: u32,
    /// Most messages that are being answered at a time. A turn goes on when its caller has gone, so what bounds the
    /// calls does not bound the turns.
    pub max_turns: usize,
}

impl Default for ChatRules {
    /// Two minutes, 40 messages, and 256 turns.
    fn default() -> Self {
        Self { answer_timeout_ms: 120_000, max_history: 40, max_turns: 256 }
    }
}

/// What a user says.
#[derive(Debug, Clone)]
pub struct Say {
    /// The message.
    pub message: NewMessage,
    /// What the client says of the workflow.
    pub context: Option<Value>,
}

/// A chat that has begun.
#[derive(Debug, Clone)]
pub struct Started {
    /// The conversation.
    pub conversation: ConversationId,
    /// The state of its workflow.
    pub workflow: Value,
}

/// What came of what a user said.
#[derive(Debug, Clone)]
pub struct Said {
    /// The answer.
    pub messages: Vec<Message>,
    /// The state of the workflow after it.
    pub workflow: Value,
    /// The version of the conversation after it.
    pub version: u64,
    /// Whether this was a repetition.
    pub replayed: bool,
}

/// Chats with an agent.
pub struct Chat {
    conversations: Arc<ConversationService>,
    agent: Arc<dyn Agent>,
    rules: ChatRules,
    turns: Arc<Semaphore>,
}

/// A turn under way: where, and by which right.
struct Under {
    at: Lookup,
    fence: u64,
    asked: Written,
}

impl Chat {
    /// Chats with this agent.
    #[must_use]
    pub fn new(conversations: Arc<ConversationService>, agent: Arc<dyn Agent>, rules: ChatRules) -> Self {
        let turns = Arc::new(Semaphore::new(rules.max_turns.min(Semaphore::MAX_PERMITS)));
        Self { conversations, agent, rules, turns }
    }

    /// Begins a conversation whose workflow stands at its beginning.
    ///
    /// # Errors
    /// Those of [`ConversationService::create`].
    pub async fn start(&self, caller: &Caller, request: Option<RequestId>) -> Result<Started> {
        let workflow = initial(caller);
        let create = CreateConversation { workflow: Some(workflow.clone()), ..CreateConversation::default() };
        let created = self.conversations.create(caller, request, create).await?;
        let conversation = created.conversation;
        Ok(Started { conversation: conversation.summary.id, workflow: conversation.workflow.unwrap_or(workflow) })
    }

    /// Stores what a user says, has the agent answer, and stores the answer. Goes on where the caller goes away: what
    /// the agent answers is then in the conversation. With a request id, a repetition returns the first answer; where
    /// there was none, the agent is asked again.
    ///
    /// # Errors
    /// Those of an append; `conversations.turn_busy` while another message is being answered; `server.overloaded` while
    /// as many are as may be; `conversations.agent_failed` and `conversations.agent_unavailable`, after which only the user's message is
    /// stored, as failed.
    pub async fn send(
        self: &Arc<Self>,
        caller: &Caller,
        request: Option<RequestId>,
        id: &ConversationId,
        say: Say,
    ) -> Result<Said> {
        let at = self.conversations.own(caller, Scope::ConversationsWrite, id)?;
        let memo = self.conversations.memo(caller, request, &("send", id, &say.message, &say.context))?;
        let permit = Arc::clone(&self.turns).try_acquire_owned().map_err(|_| too_many_turns(self.rules.max_turns))?;
        let (chat, caller) = (Arc::clone(self), caller.clone());
        let turn = async move {
            let said = chat.turn(&caller, at, memo, say).await;
            drop(permit);
            said
        };
        let turn = tokio::spawn(turn.instrument(tracing::Span::current()));
        turn.await.unwrap_or_else(|error| Err(Error::bug(format!("a turn ended early: {error}"))))
    }

    async fn turn(&self, caller: &Caller, at: Lookup, memo: Option<RequestMemo>, say: Say) -> Result<Said> {
        let (_, documents) = self.conversations.documents(vec![say.message])?;
        if let Some(memo) = &memo
            && let Some(said) = self.recalled(&at, memo).await?
        {
            return Ok(said);
        }
        // With a key of its own, a take whose answer is lost gets its own turn back instead of being locked out by it.
        let key = Some(format!("chat {}", self.conversations.mint.chat_message_id()));
        let take = Take { at: at.clone(), holder: Some("chat".into()), ttl_ms: LEASE_MS, key };
        let turn = self.conversations.take(take).await?;
        let question = Append { documents, pending: true, memo, ..self.step(&at, turn.turn) };
        let asked = match self.conversations.store.append(question).await {
            Ok(Appended::Stored { written, .. }) => written,
            Ok(Appended::Replayed(written)) => {
                // It was answered between the look back and the turn.
                self.conversations.store.end_turn(&at, turn.turn).await?;
                return self.answered(&at, written).await;
            }
            Ok(refused) => {
                self.give_back(&at, turn.turn).await;
                return Err(self.conversations.refusal(&at, refused));
            }
            Err(error) => {
                self.give_back(&at, turn.turn).await;
                return Err(error);
            }
        };
        let under = Under { at, fence: turn.turn, asked };
        match self.answer(caller, &under, turn, say.context).await {
            Ok(said) => Ok(said),
            Err(error) => {
                self.fail(&under, &error).await;
                Err(error)
            }
        }
    }

    /// Asks the agent while the turn is kept, and stores what it says.
    async fn answer(&self, caller: &Caller, under: &Under, turn: Turn, context: Option<Value>) -> Result<Said> {
        let (workflow, _) = self.workflow(caller, &under.at).await?;
        let prompt =
            Prompt { conversation: under.at.id.clone(), history: self.history(under).await?, workflow, context };
        let answer = self.ask_under(under, turn, prompt).await?;
        let (messages, documents) = self.checked(answer)?;
        self.conclude(caller, under, messages, &documents).await
    }

    /// Stores an answer, and the turn in the workflow. That one is read anew, and again where a client changes it in
    /// between: nothing of what a client writes while the agent is thinking is lost.
    async fn conclude(
        &self,
        caller: &Caller,
        under: &Under,
        messages: Vec<NewMessage>,
        documents: &[Bytes],
    ) -> Result<Said> {
        let mut attempts = 0;
        loop {
            let (workflow, version) = self.workflow(caller, &under.at).await?;
            let workflow = counted(workflow);
            let append = Append {
                documents: documents.to_vec(),
                expected_version: Some(version),
                settle: Some(Settle::Done),
                workflow: Some(Bytes::from(workflow.to_string())),
                release: true,
                ..self.step(&self.now(&under.at), under.fence)
            };
            let at = append.at.clone();
            attempts += 1;
            match self.conversations.store.append(append).await? {
                Appended::Stored { written, .. } => {
                    tracing::info!(id = %at.id, messages = messages.len(), "message answered");
                    let messages = placed(messages, written, &at);
                    return Ok(Said { messages, workflow, version: written.version, replayed: false });
                }
                Appended::Conflict { .. } if attempts < CHANGE_ATTEMPTS => pause_after(attempts).await,
                refused => return Err(self.conversations.refusal(&at, refused)),
            }
        }
    }

    /// Asks the agent, and renews the lease meanwhile. A turn that is lost ends the asking.
    async fn ask_under(&self, under: &Under, turn: Turn, prompt: Prompt) -> Result<Vec<NewMessage>> {
        let timeout = Duration::from_millis(self.rules.answer_timeout_ms);
        let asking = tokio::time::timeout(timeout, self.agent.answer(prompt));
        tokio::pin!(asking);
        let mut until = turn.until;
        loop {
            tokio::select! {
                biased;
                answer = &mut asking => return match answer {
                    Ok(answer) => answer.map_err(agent_error),
                    Err(_) => Err(agent_error(AgentError::Failed {
                        detail: format!("the agent gave no answer within {} ms", self.rules.answer_timeout_ms),
                        internal: "the answer timed out".into(),
                    })),
                },
                () = tokio::time::sleep(RENEW_EVERY) => until = self.renewed(under, until).await?,
            }
        }
    }

    /// Renews the lease. A store that does not answer costs nothing until the lease ends.
    async fn renewed(&self, under: &Under, until: Timestamp) -> Result<Timestamp> {
        let at = self.now(&under.at);
        let now = at.now;
        match self.conversations.renew(Renew { at, fence: under.fence, ttl_ms: LEASE_MS }).await {
            Ok(turn) => Ok(turn.until),
            Err(error) if matches!(error.code(), Code::ConversationTurnLost | Code::ConversationNotFound) => Err(error),
            Err(_) if now >= until => Err(turn_lost()),
            Err(error) => {
                tracing::warn!(id = %under.at.id, %error, "the turn of a chat could not be renewed");
                Ok(until)
            }
        }
    }

    /// Marks the message as failed and ends the turn. Where that fails too, the lease ends by itself, and the message
    /// has failed then.
    async fn fail(&self, under: &Under, error: &Error) {
        tracing::warn!(id = %under.at.id, %error, internal = error.internal, "a message was not answered");
        let at = self.now(&under.at);
        let append = Append { settle: Some(Settle::Failed), release: true, ..self.step(&at, under.fence) };
        match self.conversations.store.append(append).await {
            Ok(Appended::Stored { .. } | Appended::TurnLost | Appended::NotFound) => {}
            Ok(other) => tracing::error!(id = %at.id, ?other, "a failed turn was not ended"),
            Err(error) => tracing::warn!(id = %at.id, %error, "a failed turn was not ended"),
        }
    }

    async fn give_back(&self, at: &Lookup, fence: u64) {
        if let Err(error) = self.conversations.store.end_turn(at, fence).await {
            tracing::warn!(id = %at.id, %error, "a turn was not ended; its lease ends by itself");
        }
    }

    /// The first answer to a repeated request, where there is one.
    async fn recalled(&self, at: &Lookup, memo: &RequestMemo) -> Result<Option<Said>> {
        match self.conversations.store.recall(at, memo).await? {
            None => Ok(None),
            Some(Recalled::MemoMismatch) => Err(memo_mismatch()),
            Some(Recalled::Written(asked)) => self.answered(at, asked).await.map(Some),
        }
    }

    /// The answer to a question of a turn that succeeded.
    ///
    /// # Errors
    /// `conversations.turn_busy` where it is still being answered.
    async fn answered(&self, at: &Lookup, asked: Written) -> Result<Said> {
        let from = From::After(asked.first_seq - 1);
        let limit = u32::try_from(MAX_APPEND + 1).unwrap_or(u32::MAX);
        let page = self.conversations.page(MessagesQuery { at: at.clone(), from, limit }).await?;
        let running = page.summary.turn.as_ref().filter(|turn| Some(turn.fence) == asked.fence);
        if let Some(turn) = running {
            return Err(turn_busy(turn.until, at.now));
        }
        let of_turn = page.rows.iter().filter(|row| row.seq > asked.last_seq && row.fence == asked.fence);
        let messages = of_turn.map(parse::to_message).collect::<Result<Vec<_>>>()?;
        let record = self.conversations.found(at).await?;
        let workflow = record.workflow.as_deref().map(parse::from_bytes).transpose()?.unwrap_or(Value::Null);
        Ok(Said { messages, workflow, version: record.summary.version, replayed: true })
    }

    /// The last messages up to the question, without those that failed.
    async fn history(&self, under: &Under) -> Result<Vec<Message>> {
        let from = From::Before(under.asked.last_seq + 1);
        let limit = self.rules.max_history.max(1);
        let page = self.conversations.page(MessagesQuery { at: self.now(&under.at), from, limit }).await?;
        let kept = page.rows.iter().filter(|row| row.state != Some(MessageState::Failed));
        kept.map(parse::to_message).collect()
    }

    /// The state of the workflow, and the version of the conversation that it was read with.
    async fn workflow(&self, caller: &Caller, at: &Lookup) -> Result<(Value, u64)> {
        let record = self.conversations.found(&self.now(at)).await?;
        let workflow = record.workflow.as_deref().map(parse::from_bytes).transpose()?;
        Ok((workflow.unwrap_or_else(|| initial(caller)), record.summary.version))
    }

    fn checked(&self, answer: Vec<NewMessage>) -> Result<(Vec<NewMessage>, Vec<Bytes>)> {
        if answer.is_empty() {
            return Err(agent_error(AgentError::Failed {
                detail: "the agent answered nothing".into(),
                internal: "an empty answer".into(),
            }));
        }
        self.conversations.documents(answer).map_err(|error| {
            agent_error(AgentError::Failed {
                detail: format!("the answer of the agent cannot be stored: {}", error.problem.detail),
                internal: error.to_string(),
            })
        })
    }

    /// The same conversation, now.
    fn now(&self, at: &Lookup) -> Lookup {
        Lookup { now: self.conversations.clock.now(), ..at.clone() }
    }

    /// A step of a turn that writes nothing yet.
    fn step(&self, at: &Lookup, fence: u64) -> Append {
        Append {
            at: at.clone(),
            documents: Vec::new(),
            pending: false,
            expected_version: None,
            fence: Some(fence),
            settle: None,
            workflow: None,
            release: false,
            limits: self.conversations.rules.limits,
            memo: None,
        }
    }
}

/// The state of a workflow at its beginning.
fn initial(caller: &Caller) -> Value {
    json!({
        "step": "initial",
        "turnCount": 0,
        "status": "active",
        "userId": caller.subject.user,
        "tenantId": caller.subject.tenant,
    })
}

/// The state of a workflow after one more turn.
fn counted(workflow: Value) -> Value {
    let mut workflow = match workflow {
        Value::Object(workflow) => workflow,
        _ => Map::new(),
    };
    let turns = workflow.get("turnCount").and_then(Value::as_u64).unwrap_or(0);
    workflow.insert("turnCount".into(), turns.saturating_add(1).into());
    Value::Object(workflow)
}

fn agent_error(error: AgentError) -> Error {
    let help = "Repeat the call, with the same Idempotency-Key where it had one: the agent is then asked again.";
    match error {
        AgentError::Failed { detail, internal } => {
            Error::new(Code::ConversationAgentFailed, detail, help).internal(internal)
        }
        AgentError::Unavailable { detail, internal } => {
            Error::new(Code::ConversationAgentUnavailable, detail, help).retry_after_ms(1_000).internal(internal)
        }
    }
}
