//! Chat Completions of OpenAI.

mod answer;
mod decode;
mod encode;
mod read;
mod write;

pub(super) use answer::{read_reply, write_reply};
pub(crate) use decode::Decoder;
pub(super) use encode::Encoder;
pub(super) use read::{data_url, effort, plain_choice, read_request, schema_format};
pub(super) use write::{effort_name, media_url, write_request};
