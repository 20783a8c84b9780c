//! The two protocols, and the reader that cuts what arrives into messages.

use crate::{Invalid, Limits, Message, Unrepresentable, json, messagepack};
use bytes::{Bytes, BytesMut};

/// In which form messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// JSON text; each message ends with a record separator.
    Json,
    /// MessagePack; the length stands before each message.
    MessagePack,
}

/// What a transport must be able to carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransferFormat {
    /// Text alone.
    Text,
    /// Any bytes.
    Binary,
}

/// What has arrived of messages, in pieces of any size.
///
/// An empty reader holds no memory, so that a quiet connection costs none.
#[derive(Debug)]
pub struct Reader {
    protocol: Protocol,
    limits: Limits,
    buffer: BytesMut,
    /// How much of the buffer is known to hold no end of a message, so that a message that arrives byte by byte is
    /// not searched from its beginning each time.
    searched: usize,
}

impl Protocol {
    /// Both, in the order in which they are told.
    pub const ALL: [Self; 2] = [Self::Json, Self::MessagePack];

    /// The protocol of this name, as a handshake says it. Case does not matter.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.name().eq_ignore_ascii_case(name))
    }

    /// Its name in a handshake.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::MessagePack => "messagepack",
        }
    }

    /// What a transport must carry for it.
    #[must_use]
    pub fn transfer_format(self) -> TransferFormat {
        match self {
            Self::Json => TransferFormat::Text,
            Self::MessagePack => TransferFormat::Binary,
        }
    }

    /// Writes a message, with its separator or length.
    ///
    /// # Errors
    /// Where a value of the other protocol has no form in this one.
    pub fn encode(self, message: &Message) -> Result<Bytes, Unrepresentable> {
        match self {
            Self::Json => json::encode(message),
            Self::MessagePack => messagepack::encode(message),
        }
    }
}

impl Reader {
    /// A reader that begins with what arrived behind the handshake.
    #[must_use]
    pub fn new(protocol: Protocol, limits: Limits, rest: BytesMut) -> Self {
        Self { protocol, limits, buffer: rest, searched: 0 }
    }

    /// Takes what arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message. Messages of unknown types are passed over, for peers that are newer.
    ///
    /// # Errors
    /// Where what arrived is not a message, or longer than allowed. The reader is of no use then.
    pub fn next_message(&mut self) -> Result<Option<Message>, Invalid> {
        while let Some(frame) = self.next_frame()? {
            let message = match self.protocol {
                Protocol::Json => json::parse(&frame, &self.limits)?,
                Protocol::MessagePack => messagepack::parse(&frame, &self.limits)?,
            };
            if message.is_some() {
                return Ok(message);
            }
        }
        Ok(None)
    }

    /// Whether a part of a message is waiting for its rest.
    #[must_use]
    pub fn is_within_message(&self) -> bool {
        !self.buffer.is_empty()
    }

    fn next_frame(&mut self) -> Result<Option<Bytes>, Invalid> {
        let found = match self.protocol {
            Protocol::Json => self.next_record()?,
            Protocol::MessagePack => messagepack::split(&mut self.buffer, &self.limits)?,
        };
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
        Ok(found)
    }

    fn next_record(&mut self) -> Result<Option<Bytes>, Invalid> {
        let limit_bytes = self.limits.message_bytes;
        let end = json::find_separator(&self.buffer[self.searched..]).map(|at| at + self.searched);
        if end.unwrap_or(self.buffer.len()) > limit_bytes {
            return Err(Invalid::TooLarge { limit_bytes });
        }
        let Some(end) = end else {
            self.searched = self.buffer.len();
            return Ok(None);
        };
        self.searched = 0;
        let record = self.buffer.split_to(end).freeze();
        bytes::Buf::advance(&mut self.buffer, 1);
        Ok(Some(record))
    }
}
