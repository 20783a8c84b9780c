//! What a command reads: texts, and JSON documents.

use crate::failure::{Failure, Result};
use mainstay_api::Code;
use serde::de::DeserializeOwned;
use std::io::Read;

/// Most bytes that are read from stdin: what the largest request of a server with usual settings holds.
const MAX_INPUT_BYTES: u64 = 16 * 1_024 * 1_024;

/// The text itself, or what stdin holds where it is `-`.
pub fn text(given: String) -> Result<String> {
    if given != "-" {
        return Ok(given);
    }
    let mut text = String::new();
    let read = std::io::stdin().lock().take(MAX_INPUT_BYTES + 1).read_to_string(&mut text);
    match read {
        Ok(length) if length as u64 <= MAX_INPUT_BYTES => Ok(text),
        Ok(_) => Err(refused(format!("stdin holds more than {MAX_INPUT_BYTES} bytes"))),
        Err(cause) => Err(Failure::io("stdin cannot be read", &cause)),
    }
}

/// A document, from the text itself or from stdin.
pub fn document<T: DeserializeOwned>(given: String) -> Result<T> {
    let text = text(given)?;
    serde_json::from_str(&text).map_err(|cause| refused(format!("the document cannot be used: {cause}")))
}

fn refused(detail: String) -> Failure {
    Failure::new(Code::InvalidRequest, detail, "Correct it; `/openapi.json` describes every document.")
}
