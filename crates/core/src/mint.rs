//! New ids as a parameter.

use mainstay_api::{ConversationId, MessageId};

/// Makes ids that nobody can guess to collide with.
pub trait Mint: Send + Sync + 'static {
    /// An id for a new message: `msg-` and 8 hexadecimal digits, the form that people and scripts know. Rarely one
    /// that exists; the send then asks again.
    fn message_id(&self) -> MessageId;

    /// An id for a new conversation: a random UUID, which nobody has to ask about twice.
    fn conversation_id(&self) -> ConversationId;

    /// An id for a message of a conversation: a random UUID.
    fn chat_message_id(&self) -> MessageId;
}

/// Ids from the random numbers of the operating system.
#[derive(Debug, Default, Clone, Copy)]
pub struct RandomMint;

impl Mint for RandomMint {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
    fn message_id(&self) -> MessageId {
        let random = uuid::Uuid::new_v4().simple().to_string();
        MessageId::parse(format!("msg-{}", &random[..8])).expect("a short text is a valid id")
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
    fn conversation_id(&self) -> ConversationId {
        ConversationId::parse(uuid::Uuid::new_v4().to_string()).expect("a UUID is a valid id")
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
    fn chat_message_id(&self) -> MessageId {
        MessageId::parse(uuid::Uuid::new_v4().to_string()).expect("a UUID is a valid id")
    }
}
