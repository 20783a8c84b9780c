//! The chat routes of the original, for its web clients. They do what the resource routes do, in other words.

pub(crate) mod card_action;
pub(crate) mod list_conversations;
pub(crate) mod send;
pub(crate) mod start;
pub(crate) mod status;

use mainstay_core::api::ConversationId;
use mainstay_core::api::conversations::ChatAnswer;
use mainstay_core::conversations::Said;

fn answer(conversation_id: ConversationId, said: Said) -> ChatAnswer {
    ChatAnswer { conversation_id, messages: said.messages, workflow_state: said.workflow }
}
