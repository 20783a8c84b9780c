//! The WebSocket of our own protocol: JSON messages both ways.

mod encoder;
mod ending;
mod requests;
mod session;

pub(super) use encoder::{SseEvents, json, sse};
pub(super) use session::{Opening, serve};
