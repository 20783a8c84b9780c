//! Results of the modern tools.

use crate::mcp::guidance;
use mainstay_api::{Code, Problem};
use rmcp::model::{CallToolResult, ContentBlock};
use serde::Serialize;

/// A call that succeeded: the value as structured content, and the same as compact JSON text for clients that show a
/// model nothing else (the specification asks for both).
pub(super) fn success<T: Serialize>(value: &T) -> CallToolResult {
    let written = serde_json::to_string(value).and_then(|text| Ok((text, serde_json::to_value(value)?)));
    match written {
        Ok((text, structured)) => {
            let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
            result.structured_content = Some(structured);
            result
        }
        Err(error) => {
            tracing::error!(%error, "a result is not JSON");
            failure(&Problem::new(Code::Internal, "the server failed", "Report it; the log has the cause."))
        }
    }
}

/// A call that failed. It has no structured content: that would have to fit the output schema.
pub(super) fn failure(problem: &Problem) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(guidance::text(problem))]).with_meta(Some(guidance::meta(problem)))
}
