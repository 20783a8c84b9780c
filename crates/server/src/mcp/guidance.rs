//! Errors in the words of a model that uses tools: what happened, and which tool to call next.

use mainstay_api::{Code, Problem};
use rmcp::ErrorData;
use rmcp::model::{CallToolResult, ErrorCode, MetaObject};
use serde_json::json;

/// The key under which an error stands in `_meta`, for programs.
pub(super) const ERROR_META: &str = "dev.mainstay/error";

/// What to do about a problem. The help of the catalogue speaks to people at a command line; where a tool is the
/// answer, this names it.
pub(super) fn help(problem: &Problem) -> &str {
    match problem.code {
        Code::MailNotFound => "Call mail_list for the messages that exist, and check the id.",
        Code::MailNotRecipient => {
            "Call whoami to see who you are; to acknowledge for a recipient, pass its name as on_behalf_of."
        }
        Code::MailInvalidType => "Use one of the types that mail_types returns.",
        Code::MailDuplicateId => "Leave id out, and one is made; or choose another.",
        Code::RequestIdReused => {
            "Give every new message a request_id of its own; repeat one only with the same content."
        }
        Code::PresenceNotFound => "Call presence_list for the instances that are registered.",
        Code::CursorInvalid => "Begin again without cursor, and pass next on unchanged.",
        Code::InstanceUnknown => {
            "This connection has no instance name. Ask whoever configured it to set MAINSTAY_INSTANCE for \
             `mainstay mcp`, or to send the header Mainstay-Instance; sending and reading your mail is not possible \
             without it, mail_list and presence_list are."
        }
        _ => &problem.help,
    }
}

/// The problem as a text: code, what happened, what to do.
pub(super) fn text(problem: &Problem) -> String {
    let mut text = format!("{}: {} — {}", problem.code, problem.detail, help(problem));
    if !problem.valid_values.is_empty() {
        text.push_str(" Valid: ");
        text.push_str(&problem.valid_values.join(", "));
        text.push('.');
    }
    text
}

/// The problem for programs.
pub(super) fn meta(problem: &Problem) -> MetaObject {
    let mut error = json!({"code": problem.code, "retryable": problem.retryable, "applied": problem.applied});
    if let Some(retry_after_ms) = problem.retry_after_ms {
        error["retry_after_ms"] = retry_after_ms.into();
    }
    if let Some(request_id) = &problem.request_id {
        error["request_id"] = request_id.as_str().into();
    }
    let mut meta = MetaObject::new();
    meta.insert(ERROR_META.into(), error);
    meta
}

/// The code of the error that a result tells of, where it is one.
pub(super) fn code(result: &CallToolResult) -> Option<Code> {
    Code::find(result.meta.as_ref()?.get(ERROR_META)?["code"].as_str()?)
}

/// The problem as a protocol error, for requests that have no other way to fail.
pub(super) fn protocol(problem: &Problem) -> ErrorData {
    let data = json!({"code": problem.code, "retryable": problem.retryable});
    ErrorData::new(ErrorCode(problem.code.entry().json_rpc), text(problem), Some(data))
}

/// The problem of a server that is about to end.
pub(super) fn stopping() -> Box<Problem> {
    Box::new(Problem::new(Code::Stopping, "the server is stopping", "Repeat the call in a few seconds."))
}
