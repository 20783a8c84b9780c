//! What one message may hold.

/// Bounds of what is read. They apply to every message by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest message, without its separator or length prefix.
    pub message_bytes: usize,
    /// Deepest nesting of lists and objects within an argument, an item or a result.
    pub depth: usize,
    /// Most arguments of an invocation.
    pub arguments: usize,
    /// Most headers of a message.
    pub headers: usize,
    /// Most streams that an invocation uploads.
    pub streams: usize,
}

impl Limits {
    /// Longest message that servers of this protocol take by default.
    pub const MESSAGE_BYTES: usize = 32 * 1024;

    /// The same with another longest message.
    #[must_use]
    pub fn with_message_bytes(self, message_bytes: usize) -> Self {
        Self { message_bytes, ..self }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { message_bytes: Self::MESSAGE_BYTES, depth: 64, arguments: 32, headers: 32, streams: 16 }
    }
}
