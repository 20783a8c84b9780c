//! The eight `coord_*` tools of the coordination server that Mainstay replaces: its schemas as they were, its answers
//! in its own words and key order. Unlike it they say `isError` when a call failed.

mod ack;
mod check;
mod notifications;
mod presence;
mod publish;
mod reply;

use crate::access::Needs;
use crate::mcp::Backend;
use crate::mcp::tools::arguments;
use mainstay_api::mail::FILE_TYPES;
use mainstay_api::{Code, MessageType};
use mainstay_core::Scope;
use reply::{Failure, Reply};
use rmcp::model::{CallToolResult, JsonObject, Tool};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The tools as the original listed them.
#[expect(clippy::expect_used, reason = "the file is part of the program and a test reads it")]
pub(super) fn tools() -> Vec<Tool> {
    serde_json::from_str(include_str!("tools.json")).expect("the file is JSON")
}

/// What the caller of one of the tools needs. `None` where the name is none of theirs.
pub(super) fn needs(name: &str) -> Option<Needs> {
    let scope = match name {
        "coord_publish_message" | "coord_ack_message" => Scope::MailWrite,
        "coord_check_messages" | "coord_get_notifications" => Scope::MailRead,
        "coord_get_presence" => Scope::PresenceRead,
        "coord_register_presence" | "coord_deregister_presence" | "coord_heartbeat" => Scope::PresenceWrite,
        _ => return None,
    };
    Some(Needs::Scope(scope))
}

/// Calls one of the tools. `None` where the name is none of theirs.
pub(super) async fn call(backend: &dyn Backend, name: &str, arguments: JsonObject) -> Option<CallToolResult> {
    let result = match name {
        "coord_publish_message" => run(arguments, |given| publish::call(backend, given)).await,
        "coord_check_messages" => run(arguments, |given| check::call(backend, given)).await,
        "coord_ack_message" => run(arguments, |given| ack::call(backend, given)).await,
        "coord_get_presence" => run(arguments, |given| presence::list(backend, given)).await,
        "coord_get_notifications" => run(arguments, |given| notifications::call(backend, given)).await,
        "coord_register_presence" => run(arguments, |given| presence::register(backend, given)).await,
        "coord_deregister_presence" => run(arguments, |given| presence::deregister(backend, given)).await,
        "coord_heartbeat" => run(arguments, |given| presence::heartbeat(backend, given)).await,
        _ => return None,
    };
    Some(result)
}

async fn run<I, O, C, F>(given: JsonObject, call: C) -> CallToolResult
where
    I: DeserializeOwned,
    O: Serialize,
    C: FnOnce(I) -> F,
    F: Future<Output = Reply<O>>,
{
    let outcome = match arguments::parse(given) {
        Ok(given) => call(given).await,
        Err(problem) => Err(problem.into()),
    };
    match outcome {
        Ok(value) => reply::success(&value),
        Err(failure) => reply::failure(&failure),
    }
}

/// Reads the name of a type, and refuses one that this server does not know.
async fn known_type(backend: &dyn Backend, name: &str) -> Reply<MessageType> {
    let types = backend.types().await?.types;
    match MessageType::parse(name) {
        Ok(kind) if types.iter().any(|known| known == name) => Ok(kind),
        _ => Err(invalid_type(name, types)),
    }
}

/// The refusal of a type. Lists the 26 of the original and those configured besides; the ones that only stood in its
/// files are accepted without being advertised.
fn invalid_type(name: &str, mut types: Vec<String>) -> Failure {
    types.retain(|known| !FILE_TYPES.contains(&known.as_str()));
    Failure::new(Code::MailInvalidType, format!("Invalid message type: {name}")).valid_types(types)
}

/// The number of results that was asked for, at most 1,000 as in the original.
fn limit(given: i64) -> Reply<u32> {
    match u32::try_from(given.min(1_000)) {
        Ok(limit) if limit > 0 => Ok(limit),
        _ => Err(Failure::new(Code::InvalidRequest, format!("limit: {given}; ask for 1 to 1000 results"))),
    }
}

fn hundred() -> i64 {
    100
}
