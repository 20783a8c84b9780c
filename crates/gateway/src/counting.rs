//! About how many tokens a text is, where no upstream says: four bytes of ASCII are one token, and every other character is one
//! by itself.

mod request;

pub use request::{Counted, count, estimate};

/// Bytes of ASCII that make a token.
const ASCII_BYTES_PER_TOKEN: u64 = 4;

/// What texts weigh together, however they are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Weight {
    ascii_bytes: u64,
    other_characters: u64,
    whole_tokens: u64,
}

impl Weight {
    /// Adds a text.
    pub fn add(&mut self, text: &str) {
        let ascii = text.bytes().filter(u8::is_ascii).count() as u64;
        let others = text.chars().filter(|character| !character.is_ascii()).count() as u64;
        self.ascii_bytes = self.ascii_bytes.saturating_add(ascii);
        self.other_characters = self.other_characters.saturating_add(others);
    }

    /// Adds what is no text, by its tokens.
    pub const fn add_tokens(&mut self, tokens: u64) {
        self.whole_tokens = self.whole_tokens.saturating_add(tokens);
    }

    /// The tokens, rounded up.
    #[must_use]
    pub const fn tokens(&self) -> u64 {
        self.ascii_bytes
            .div_ceil(ASCII_BYTES_PER_TOKEN)
            .saturating_add(self.other_characters)
            .saturating_add(self.whole_tokens)
    }
}
