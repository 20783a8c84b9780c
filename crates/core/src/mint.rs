//! New ids as a parameter.

use mainstay_api::events::EventId;
use mainstay_api::providers::GatewayKeyId;
use mainstay_api::{ConversationId, KeyId, MessageId, SessionId, UserId};

/// Makes ids that nobody can guess to collide with.
pub trait Mint: Send + Sync + 'static {
    /// An id for a new message: `msg-` and 8 hexadecimal digits, the form that people and scripts know. Rarely one
    /// that exists; the send then asks again.
    fn message_id(&self) -> MessageId;

    /// An id for a new user: `usr-` and 16 hexadecimal digits.
    fn user_id(&self) -> UserId;

    /// An id for a new API key: `key-` and 16 hexadecimal digits.
    fn key_id(&self) -> KeyId;

    /// An id for a new key of the gateway: `gwk-` and 16 hexadecimal digits.
    fn gateway_key_id(&self) -> GatewayKeyId;

    /// An id for a new session: `ses-` and 16 hexadecimal digits.
    fn session_id(&self) -> SessionId;

    /// 256 bits that nobody can guess.
    fn secret(&self) -> [u8; 32];

    /// An id for a new conversation: a random UUID, which nobody has to ask about twice.
    fn conversation_id(&self) -> ConversationId;

    /// An id for a message of a conversation: a random UUID.
    fn chat_message_id(&self) -> MessageId;

    /// An id for an event: a random UUID.
    fn event_id(&self) -> EventId;
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

    fn user_id(&self) -> UserId {
        UserId::parse(random_id("usr")).expect("letters and digits are a valid id")
    }

    fn key_id(&self) -> KeyId {
        KeyId::parse(random_id("key")).expect("letters and digits are a valid id")
    }

    fn gateway_key_id(&self) -> GatewayKeyId {
        GatewayKeyId::parse(random_id("gwk")).expect("letters and digits are a valid id")
    }

    fn session_id(&self) -> SessionId {
        SessionId::parse(random_id("ses")).expect("letters and digits are a valid id")
    }

    fn secret(&self) -> [u8; 32] {
        let mut secret = [0; 32];
        // Without random bytes nothing secret can be made, and going on would make something that is not.
        getrandom::fill(&mut secret).expect("the operating system gives random bytes");
        secret
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
    fn conversation_id(&self) -> ConversationId {
        ConversationId::parse(uuid::Uuid::new_v4().to_string()).expect("a UUID is a valid id")
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
    fn chat_message_id(&self) -> MessageId {
        MessageId::parse(uuid::Uuid::new_v4().to_string()).expect("a UUID is a valid id")
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
    fn event_id(&self) -> EventId {
        EventId::parse(uuid::Uuid::new_v4().to_string()).expect("a UUID is a valid id")
    }
}

/// A prefix and 16 random hexadecimal digits.
#[expect(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
fn random_id(prefix: &str) -> String {
    let random = uuid::Uuid::new_v4().simple().to_string();
    // The digits in the middle hold the version and the variant; the first and the last ones are random.
    format!("{prefix}-{}{}", &random[..8], &random[24..])
}
