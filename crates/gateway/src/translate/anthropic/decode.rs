//! The stream of an upstream.

use super::super::conversation::Signature;
use super::super::reply::{Delta, Failure};
use super::answer::finish_named;
use crate::Protocol;
use crate::json::{Field, Object, Shape, parse};
use crate::sse::Event;
use crate::usage::Usage;

/// Reads events. Each says what it is within its data; how it is called is not needed.
#[derive(Debug, Default)]
pub(crate) struct Decoder;

impl Decoder {
    pub fn event(&mut self, event: &Event, deltas: &mut Vec<Delta>) -> Result<(), Failure> {
        let raw = parse(event.data.as_bytes()).map_err(Failure::garbled)?;
        let root = Field::root(raw);
        let mut object = root.object().map_err(Failure::garbled)?;
        let kind = object.text("type").map_err(Failure::garbled)?.unwrap_or_default();
        if kind == "error" {
            return Err(Failure::said(&root));
        }
        Self::read(&kind, &mut object, deltas).map_err(Failure::garbled)
    }

    fn read(kind: &str, object: &mut Object<'_>, deltas: &mut Vec<Delta>) -> Result<(), Shape> {
        match kind {
            "message_start" => {
                let mut message = object.need("message")?.object()?;
                deltas.push(Delta::Start);
                Self::usage(&mut message, deltas)?;
            }
            "content_block_start" => Self::start(object, deltas)?,
            "content_block_delta" => Self::delta(object, deltas)?,
            "message_delta" => {
                if let Some(mut delta) = object.object("delta")? {
                    let sequence = delta.text("stop_sequence")?;
                    let reason = delta.text("stop_reason")?;
                    deltas.extend(reason.map(|name| Delta::Finish(finish_named(&name, sequence))));
                }
                Self::usage(object, deltas)?;
            }
            "message_stop" => deltas.push(Delta::End),
            // A ping, the end of a block, and what is yet to be invented.
            _ => {}
        }
        Ok(())
    }

    fn usage(object: &mut Object<'_>, deltas: &mut Vec<Delta>) -> Result<(), Shape> {
        if let Some(usage) = object.take("usage") {
            deltas.push(Delta::Usage(Usage::read(Protocol::Anthropic, &usage)?));
        }
        Ok(())
    }

    fn start(object: &mut Object<'_>, deltas: &mut Vec<Delta>) -> Result<(), Shape> {
        let index = object.need("index")?.count()?;
        let mut block = object.need("content_block")?.object()?;
        match &*block.need_text("type")? {
            "text" => deltas.extend(block.text("text")?.map(Delta::Text)),
            "thinking" => deltas.extend(block.text("thinking")?.map(Delta::Thought)),
            "tool_use" => {
                let (id, name) = (Some(block.need_text("id")?), Some(block.need_text("name")?));
                // The whole of it is told in pieces; only a block that has none begins with something in it.
                let input = block.object_text("input")?.map(|input| input.get().to_owned());
                let arguments = input.filter(|input| input.bytes().any(|byte| byte == b'"')).unwrap_or_default();
                deltas.push(Delta::Call { index, id, name, arguments });
            }
            _ => {}
        }
        Ok(())
    }

    fn delta(object: &mut Object<'_>, deltas: &mut Vec<Delta>) -> Result<(), Shape> {
        let index = object.need("index")?.count()?;
        let mut delta = object.need("delta")?.object()?;
        match &*delta.need_text("type")? {
            "text_delta" => deltas.push(Delta::Text(delta.need_text("text")?)),
            "thinking_delta" => deltas.push(Delta::Thought(delta.need_text("thinking")?)),
            "signature_delta" => {
                let text = delta.need_text("signature")?;
                deltas.push(Delta::Signature(Signature { origin: Protocol::Anthropic, text }));
            }
            "input_json_delta" => {
                let arguments = delta.need_text("partial_json")?;
                deltas.push(Delta::Call { index, id: None, name: None, arguments });
            }
            _ => {}
        }
        Ok(())
    }
}
