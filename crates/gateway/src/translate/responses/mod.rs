//! Responses of OpenAI. Nothing is kept between two calls: what only a server with a memory could answer is refused.

mod answer;
mod decode;
mod encode;
mod read;
mod write;

pub(super) use answer::{read_reply, write_reply};
pub(crate) use decode::Decoder;
pub(super) use encode::Encoder;
pub(super) use read::read_request;
pub(super) use write::write_request;
