//! What an answer used, read beside it while it passes.

mod reader;

pub use reader::Reader;
pub(crate) use reader::Tally;

use crate::Protocol;
use crate::json::{Field, Members, Object, Shape};

/// Tokens of one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Tokens that were sent, with those of the cache.
    pub input_tokens: u64,
    /// Of those, tokens that were read from the upstream's cache.
    pub cached_tokens: u64,
    /// Of those that were sent, tokens that were written to the upstream's cache.
    pub cache_written_tokens: u64,
    /// Tokens that were received, with those that the model thought in.
    pub output_tokens: u64,
    /// Of those, tokens that the model thought in.
    pub thought_tokens: u64,
}

impl Usage {
    /// Takes over what a later report says; what it does not mention stays.
    pub(crate) fn merge(&mut self, later: Self) {
        let replace = |now: &mut u64, then: u64| *now = if then == 0 { *now } else { then };
        replace(&mut self.input_tokens, later.input_tokens);
        replace(&mut self.cached_tokens, later.cached_tokens);
        replace(&mut self.cache_written_tokens, later.cache_written_tokens);
        replace(&mut self.output_tokens, later.output_tokens);
        replace(&mut self.thought_tokens, later.thought_tokens);
    }

    /// Reads the object that a protocol calls usage.
    pub(crate) fn read(protocol: Protocol, field: &Field<'_>) -> Result<Self, Shape> {
        let mut object = field.object()?;
        match protocol {
            Protocol::OpenAi => Self::chat(&mut object, ["prompt", "completion"]),
            Protocol::Responses => Self::chat(&mut object, ["input", "output"]),
            Protocol::Anthropic => Self::anthropic(&mut object),
            Protocol::Gemini => Self::gemini(&mut object),
        }
    }

    fn chat(object: &mut Object<'_>, [input, output]: [&str; 2]) -> Result<Self, Shape> {
        let mut detail = |side: &str, name: &str| -> Result<u64, Shape> {
            let details = object.object(&format!("{side}_tokens_details"))?;
            details.map_or(Ok(None), |mut details| details.count(name)).map(Option::unwrap_or_default)
        };
        let cached_tokens = detail(input, "cached_tokens")?;
        let thought_tokens = detail(output, "reasoning_tokens")?;
        Ok(Self {
            input_tokens: object.count(&format!("{input}_tokens"))?.unwrap_or_default(),
            cached_tokens,
            cache_written_tokens: 0,
            output_tokens: object.count(&format!("{output}_tokens"))?.unwrap_or_default(),
            thought_tokens,
        })
    }

    /// What was read from the cache, and written to it, is counted beside the rest.
    fn anthropic(object: &mut Object<'_>) -> Result<Self, Shape> {
        let fresh = object.count("input_tokens")?.unwrap_or_default();
        let cached_tokens = object.count("cache_read_input_tokens")?.unwrap_or_default();
        let cache_written_tokens = object.count("cache_creation_input_tokens")?.unwrap_or_default();
        let details = object.object("output_tokens_details")?;
        let thought = details.map_or(Ok(None), |mut details| details.count("thinking_tokens"))?;
        Ok(Self {
            input_tokens: fresh.saturating_add(cached_tokens).saturating_add(cache_written_tokens),
            cached_tokens,
            cache_written_tokens,
            output_tokens: object.count("output_tokens")?.unwrap_or_default(),
            thought_tokens: thought.unwrap_or_default(),
        })
    }

    /// Thoughts, and what tools of the upstream were given, are counted beside the rest.
    fn gemini(object: &mut Object<'_>) -> Result<Self, Shape> {
        let mut count = |name: &str| object.count(name).map(Option::unwrap_or_default);
        let thought_tokens = count("thoughtsTokenCount")?;
        let by_tools = count("toolUsePromptTokenCount")?;
        Ok(Self {
            input_tokens: count("promptTokenCount")?.saturating_add(by_tools),
            cached_tokens: count("cachedContentTokenCount")?,
            cache_written_tokens: 0,
            output_tokens: count("candidatesTokenCount")?.saturating_add(thought_tokens),
            thought_tokens,
        })
    }

    /// Writes it as a protocol does.
    pub(crate) fn written(&self, protocol: Protocol) -> Members {
        let total = self.input_tokens.saturating_add(self.output_tokens);
        match protocol {
            Protocol::OpenAi => Members::new()
                .with("prompt_tokens", self.input_tokens)
                .with("completion_tokens", self.output_tokens)
                .with("total_tokens", total)
                .with("prompt_tokens_details", Members::new().with("cached_tokens", self.cached_tokens))
                .with("completion_tokens_details", Members::new().with("reasoning_tokens", self.thought_tokens)),
            Protocol::Responses => Members::new()
                .with("input_tokens", self.input_tokens)
                .with("input_tokens_details", Members::new().with("cached_tokens", self.cached_tokens))
                .with("output_tokens", self.output_tokens)
                .with("output_tokens_details", Members::new().with("reasoning_tokens", self.thought_tokens))
                .with("total_tokens", total),
            Protocol::Anthropic => {
                let beside = self.cached_tokens.saturating_add(self.cache_written_tokens);
                Members::new()
                    .with("input_tokens", self.input_tokens.saturating_sub(beside))
                    .with("cache_creation_input_tokens", self.cache_written_tokens)
                    .with("cache_read_input_tokens", self.cached_tokens)
                    .with("output_tokens", self.output_tokens)
            }
            Protocol::Gemini => {
                let some = |count: u64| Some(count).filter(|count| *count > 0);
                Members::new()
                    .with("promptTokenCount", self.input_tokens)
                    .with("candidatesTokenCount", self.output_tokens.saturating_sub(self.thought_tokens))
                    .maybe("cachedContentTokenCount", some(self.cached_tokens))
                    .maybe("thoughtsTokenCount", some(self.thought_tokens))
                    .with("totalTokenCount", total)
            }
        }
    }
}
