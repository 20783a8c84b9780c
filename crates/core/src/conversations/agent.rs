//! What a chat needs from an agent.

use async_trait::async_trait;
use mainstay_api::ConversationId;
use mainstay_api::conversations::{Message, NewMessage, Role};
use serde_json::Value;

/// What an agent is asked. It holds everything that the agent may know: an agent keeps nothing between two calls, so
/// that no conversation reaches into another.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its last messages, oldest first; the one to answer is the last. Messages that failed are left out.
    pub history: Vec<Message>,
    /// The state of the workflow.
    pub workflow: Value,
    /// What the client said of the workflow with this message.
    pub context: Option<Value>,
}

/// Why an agent gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgentError {
    /// It was reached, and refused, failed, or said what cannot be read.
    #[error("{detail}")]
    Failed {
        /// What happened, for the caller.
        detail: String,
        /// What only the log may know.
        internal: String,
    },
    /// It was not reached.
    #[error("{detail}")]
    Unavailable {
        /// What happened, for the caller.
        detail: String,
        /// What only the log may know.
        internal: String,
    },
}

/// Answers messages.
#[async_trait]
pub trait Agent: Send + Sync {
    /// Answers the last message of the prompt with one or more messages. May be dropped at any moment, where the turn
    /// is lost or takes too long.
    async fn answer(&self, prompt: Prompt) -> Result<Vec<NewMessage>, AgentError>;
}

/// Answers each text with the same text, for a first try without an upstream.
#[derive(Debug, Default, Clone, Copy)]
pub struct EchoAgent;

#[async_trait]
impl Agent for EchoAgent {
    async fn answer(&self, prompt: Prompt) -> Result<Vec<NewMessage>, AgentError> {
        let said = prompt.history.last().and_then(|message| message.content.text.clone());
        Ok(vec![NewMessage::text(Role::Assistant, said.unwrap_or_else(|| "(no text)".into()))])
    }
}
