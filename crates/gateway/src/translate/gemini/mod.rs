//! `generateContent` and `streamGenerateContent` of Gemini.

mod answer;
mod decode;
mod encode;
mod read;
mod schema;
mod write;

pub(super) use answer::{read_reply, write_reply};
pub(crate) use decode::Decoder;
pub(super) use encode::Encoder;
pub(super) use read::read_request;
pub(super) use write::write_request;
