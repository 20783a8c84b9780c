//! The stream of an upstream.

use super::super::reply::{Delta, Failure};
use super::answer::{failure_of, finish_of, signature_of};
use crate::Protocol;
use crate::json::{Field, Object, Shape, parse};
use crate::sse::Event;
use crate::usage::Usage;
use std::collections::BTreeSet;

/// Most calls of one answer.
const MAX_CALLS: usize = 1_024;

/// Reads events. Each says what it is within its data.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// The calls that began.
    calls: BTreeSet<u64>,
    /// The calls whose arguments came in pieces.
    told: BTreeSet<u64>,
}

impl Decoder {
    pub fn event(&mut self, event: &Event, deltas: &mut Vec<Delta>) -> Result<(), Failure> {
        if event.data.trim() == "[DONE]" {
            return Ok(());
        }
        let raw = parse(event.data.as_bytes()).map_err(Failure::garbled)?;
        let root = Field::root(raw);
        let mut object = root.object().map_err(Failure::garbled)?;
        let kind = object.text("type").map_err(Failure::garbled)?.unwrap_or_default();
        if kind == "error" || (kind.is_empty() && object.take("error").is_some()) {
            return Err(Failure::said(&root));
        }
        if kind == "response.failed" {
            let response = object.object("response").ok().flatten();
            let failure = response.and_then(|mut response| failure_of(&mut response));
            return Err(failure.unwrap_or_else(|| Failure::garbled("it failed without a reason")));
        }
        self.read(&kind, &mut object, deltas).map_err(Failure::garbled)
    }

    fn read(&mut self, kind: &str, object: &mut Object<'_>, deltas: &mut Vec<Delta>) -> Result<(), Shape> {
        match kind {
            "response.created" => deltas.push(Delta::Start),
            "response.output_text.delta" => deltas.push(Delta::Text(object.need_text("delta")?)),
            "response.refusal.delta" => deltas.push(Delta::Refusal(object.need_text("delta")?)),
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                deltas.push(Delta::Thought(object.need_text("delta")?));
            }
            "response.reasoning_summary_part.added" => {
                let is_later = object.count("summary_index")?.is_some_and(|index| index > 0);
                deltas.extend(is_later.then(|| Delta::Thought("\n\n".into())));
            }
            "response.output_item.added" => self.begin(object, deltas)?,
            "response.function_call_arguments.delta" => {
                let (index, arguments) = (object.need("output_index")?.count()?, object.need_text("delta")?);
                self.told.insert(index);
                deltas.push(Delta::Call { index, id: None, name: None, arguments });
            }
            "response.output_item.done" => self.end(object, deltas)?,
            "response.completed" | "response.incomplete" => {
                let mut response = object.need("response")?.object()?;
                deltas.push(Delta::Finish(finish_of(&mut response, !self.calls.is_empty())?));
                if let Some(usage) = response.take("usage") {
                    deltas.push(Delta::Usage(Usage::read(Protocol::Responses, &usage)?));
                }
                deltas.push(Delta::End);
            }
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, object: &mut Object<'_>, deltas: &mut Vec<Delta>) -> Result<(), Shape> {
        let index = object.need("output_index")?.count()?;
        let mut item = object.need("item")?.object()?;
        if item.text("type")?.as_deref() == Some("function_call") {
            if self.calls.len() == MAX_CALLS {
                return Err(item.wrong("type", "is one call too many"));
            }
            self.calls.insert(index);
            let (id, name) = (Some(item.need_text("call_id")?), Some(item.need_text("name")?));
            deltas.push(Delta::Call { index, id, name, arguments: String::new() });
        }
        Ok(())
    }

    fn end(&mut self, object: &mut Object<'_>, deltas: &mut Vec<Delta>) -> Result<(), Shape> {
        let index = object.need("output_index")?.count()?;
        let mut item = object.need("item")?.object()?;
        match item.text("type")?.as_deref() {
            Some("reasoning") => deltas.extend(signature_of(&mut item)?.map(Delta::Signature)),
            // Some upstreams tell arguments only as a whole.
            Some("function_call") if !self.told.contains(&index) => {
                let arguments = item.text("arguments")?.unwrap_or_default();
                let (id, name) = (item.text("call_id")?, item.text("name")?);
                self.calls.insert(index);
                deltas.push(Delta::Call { index, id, name, arguments });
            }
            _ => {}
        }
        Ok(())
    }
}
