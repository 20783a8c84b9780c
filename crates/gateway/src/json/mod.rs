//! JSON as protocols need it: read one level at a time, so that every complaint names its place and whatever is not understood
//! keeps its text, and written in the order in which it is put together.

mod read;
mod write;

pub(crate) use read::{Field, Kind, Object, Shape};
pub(crate) use write::{Json, Members};

use serde_json::value::RawValue;

/// A text as JSON, whatever stands in it.
pub(crate) fn parse(bytes: &[u8]) -> Result<&RawValue, String> {
    let text = std::str::from_utf8(bytes).map_err(|cause| format!("is no UTF-8: {cause}"))?;
    serde_json::from_str::<&RawValue>(text).map_err(|cause| format!("is no JSON: {cause}"))
}

/// A text as a JSON object; an empty one stands for an object without members, as models write it.
pub(crate) fn object(text: &str) -> Option<Box<RawValue>> {
    let text = text.trim();
    let text = if text.is_empty() { "{}" } else { text };
    if !text.starts_with('{') {
        return None;
    }
    RawValue::from_string(text.to_owned()).ok()
}
