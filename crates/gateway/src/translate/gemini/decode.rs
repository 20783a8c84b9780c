//! The stream of an upstream.

use super::super::reply::{Delta, Failure};
use super::answer::read_chunk;
use crate::json::{Field, parse};
use crate::sse::Event;

/// Reads chunks, each of which is an answer in itself. Nothing says that one is the last; the end of the body does.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    begun: bool,
    calls: u64,
}

impl Decoder {
    pub fn event(&mut self, event: &Event, deltas: &mut Vec<Delta>) -> Result<(), Failure> {
        let raw = parse(event.data.as_bytes()).map_err(Failure::garbled)?;
        let root = Field::root(raw);
        let mut object = root.object().map_err(Failure::garbled)?;
        if object.take("error").is_some() {
            return Err(Failure::said(&root));
        }
        if !std::mem::replace(&mut self.begun, true) {
            deltas.push(Delta::Start);
        }
        read_chunk(&mut object, &mut self.calls, deltas).map_err(Failure::garbled)
    }
}
