//! Counting a request.

use super::Weight;
use crate::Protocol;
use crate::json::{Field, Json, Members, parse};
use crate::translate::{Options, Refused, neutral};
use bytes::Bytes;

/// Counts the tokens of a request by the rule of [`crate::counting`]. Each turn weighs 4 tokens more, each image 1,000, each
/// other medium one for four bytes of its base64, and a tool what its name, description and schema weigh as text.
///
/// # Errors
/// Where the request cannot be understood.
pub fn estimate(client: Protocol, body: &[u8]) -> Result<u64, Refused> {
    let body = match client {
        Protocol::Gemini => unwrapped(body).map_or(body, str::as_bytes),
        _ => body,
    };
    let mut weight = Weight::default();
    neutral(client, body, &Options::new("", 0))?.weigh(&mut weight);
    Ok(weight.tokens())
}

/// What a client of Gemini wants counted may stand within `generateContentRequest`.
fn unwrapped(body: &[u8]) -> Option<&str> {
    let raw = parse(body).ok()?;
    let mut object = Field::root(raw).object().ok()?;
    Some(object.take("generateContentRequest")?.raw().get())
}

/// A number of tokens, to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted(pub u64);

/// The answer to a request that asks how many tokens it is.
#[must_use]
pub fn count(client: Protocol, Counted(tokens): Counted) -> Bytes {
    let members = match client {
        Protocol::Anthropic => Members::new().with("input_tokens", tokens),
        Protocol::Gemini => Members::new().with("totalTokens", tokens),
        Protocol::OpenAi | Protocol::Responses => {
            Members::new().with("object", Json::from("response.input_tokens")).with("input_tokens", tokens)
        }
    };
    members.to_text().into()
}
