//! From settings to the rules of conversations, and to the agent that answers in them.

use crate::failure::{Failure, Result};
use crate::settings::{AgentSettings, ConversationSettings};
use mainstay_api::Code;
use mainstay_core::conversations::{Agent, ChatRules, ConversationLimits, ConversationRules, EchoAgent};
use mainstay_gateway::{OpenAiAgent, OpenAiOptions};
use mainstay_server::CardRules;
use std::sync::Arc;

/// Who answers.
///
/// # Errors
/// `settings.invalid`: an upstream that cannot be asked.
pub fn agent(settings: &AgentSettings) -> Result<Arc<dyn Agent>> {
    let Some(upstream) = &settings.upstream else {
        return Ok(Arc::new(EchoAgent));
    };
    let options = OpenAiOptions {
        key: upstream.key.clone(),
        system_prompt: upstream.system_prompt.clone(),
        answer_timeout_ms: settings.timeout_ms,
        ..OpenAiOptions::new(upstream.url.clone(), upstream.model.clone())
    };
    let agent = OpenAiAgent::new(options).map_err(|invalid| {
        Failure::new(Code::SettingInvalid, invalid.to_string(), "Check MAINSTAY_AGENT_URL and MAINSTAY_AGENT_MODEL.")
    })?;
    Ok(Arc::new(agent))
}

/// The rules of chats. The agent's own time-out comes first: it knows more about what went wrong.
pub fn chat_rules(settings: &AgentSettings) -> ChatRules {
    ChatRules {
        answer_timeout_ms: settings.timeout_ms.saturating_add(1_000),
        max_history: settings.max_history,
        ..ChatRules::default()
    }
}

/// The rules of conversations.
pub fn conversation_rules(settings: &ConversationSettings) -> ConversationRules {
    ConversationRules {
        retention: settings.retention,
        tenants: settings.tenants.clone(),
        limits: ConversationLimits { max_messages: settings.max_messages, max_bytes: settings.max_bytes },
        max_conversations: settings.max_conversations,
        max_message_bytes: settings.max_message_bytes,
    }
}

/// What cards may do.
pub fn card_rules(settings: &ConversationSettings) -> CardRules {
    CardRules { actions: settings.card_actions.clone(), domains: settings.card_domains.clone() }
}
