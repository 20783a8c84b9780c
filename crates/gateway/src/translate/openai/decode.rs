//! The stream of an upstream.

use super::super::reply::{Delta, Failure};
use super::answer::finish_named;
use crate::Protocol;
use crate::json::{Field, Object, Shape, parse};
use crate::sse::Event;
use crate::usage::Usage;

/// Most calls of one answer.
const MAX_CALLS: usize = 1_024;

/// Reads chunks.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    begun: bool,
    /// The calls that began: the number and the id that the upstream gave them.
    calls: Vec<(Option<u64>, Option<String>)>,
}

impl Decoder {
    pub fn event(&mut self, event: &Event, deltas: &mut Vec<Delta>) -> Result<(), Failure> {
        if event.data.trim() == "[DONE]" {
            deltas.push(Delta::End);
            return Ok(());
        }
        let raw = parse(event.data.as_bytes()).map_err(Failure::garbled)?;
        let root = Field::root(raw);
        let mut chunk = root.object().map_err(Failure::garbled)?;
        if chunk.take("error").is_some() {
            return Err(Failure::said(&root));
        }
        self.chunk(&mut chunk, deltas).map_err(Failure::garbled)
    }

    fn chunk(&mut self, chunk: &mut Object<'_>, deltas: &mut Vec<Delta>) -> Result<(), Shape> {
        if !std::mem::replace(&mut self.begun, true) {
            deltas.push(Delta::Start);
        }
        let usage = chunk.take("usage");
        for choice in chunk.list("choices")? {
            let mut choice = choice.object()?;
            if choice.count("index")?.unwrap_or_default() > 0 {
                continue;
            }
            if let Some(mut delta) = choice.object("delta")? {
                self.delta(&mut delta, deltas)?;
            }
            if let Some(name) = choice.text("finish_reason")? {
                deltas.push(Delta::Finish(finish_named(&name)));
            }
        }
        if let Some(usage) = usage {
            deltas.push(Delta::Usage(Usage::read(Protocol::OpenAi, &usage)?));
        }
        Ok(())
    }

    fn delta(&mut self, delta: &mut Object<'_>, deltas: &mut Vec<Delta>) -> Result<(), Shape> {
        let plain = delta.text("reasoning")?;
        deltas.extend(delta.text("reasoning_content")?.or(plain).map(Delta::Thought));
        deltas.extend(delta.text("content")?.map(Delta::Text));
        deltas.extend(delta.text("refusal")?.map(Delta::Refusal));
        for field in delta.list("tool_calls")? {
            let mut call = field.object()?;
            let id = call.text("id")?.filter(|id| !id.is_empty());
            let (name, arguments) = match call.object("function")? {
                Some(mut function) => (function.text("name")?, function.text("arguments")?.unwrap_or_default()),
                None => (None, String::new()),
            };
            let name = name.filter(|name| !name.is_empty());
            let number = call.count("index")?;
            let index =
                self.place(number, id.as_ref(), name.is_some()).ok_or_else(|| field.wrong("is one too many"))?;
            let id = id.or_else(|| name.as_ref().map(|_| format!("call_{index}")));
            deltas.push(Delta::Call { index, id, name, arguments });
        }
        Ok(())
    }

    /// Which call a piece belongs to. Some upstreams number no calls, and some give all of them the same number: there a name
    /// with an id that is new begins another call.
    fn place(&mut self, number: Option<u64>, id: Option<&String>, is_named: bool) -> Option<u64> {
        let known = match number {
            Some(_) => self.calls.iter().rposition(|(known, _)| *known == number),
            None => id.map_or(self.calls.len().checked_sub(1), |id| {
                self.calls.iter().rposition(|(_, known)| known.as_ref() == Some(id))
            }),
        };
        let is_same = |place: &usize| {
            let other = self.calls[*place].1.as_ref();
            !is_named || (number.is_some() && (id.is_none() || other == id)) || (id.is_some() && other == id)
        };
        if let Some(place) = known.filter(is_same) {
            return Some(place as u64);
        }
        if self.calls.len() == MAX_CALLS {
            return None;
        }
        self.calls.push((number, id.cloned()));
        Some(self.calls.len() as u64 - 1)
    }
}
