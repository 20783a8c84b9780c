//! The tools: the table in its order, and the way from a call to its result.

mod arguments;
mod legacy;
mod mail;
mod outcome;
mod presence;
mod schema;
mod whoami;

use super::backend::Backend;
use mainstay_api::Problem;
use rmcp::model::{CallToolResult, JsonObject, Tool};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::LazyLock;

/// Every tool, in an order that does not change: the eight of the original first, then the rest by domain.
pub(super) static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| {
    let mut tools = legacy::tools();
    tools.extend(mail::tools());
    tools.extend(presence::tools());
    tools.push(whoami::tool());
    tools
});

/// The tool of the given name.
pub(super) fn find(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.name == name)
}

/// The tool that waits for mail: the only one whose answer may take long.
pub(super) const WAITING: &str = mail::wait::NAME;

/// Calls a tool. `None` where there is no tool of this name.
pub(super) async fn call(backend: &dyn Backend, name: &str, arguments: JsonObject) -> Option<CallToolResult> {
    let arguments = arguments::present(arguments);
    if let Some(result) = legacy::call(backend, name, arguments.clone()).await {
        return Some(result);
    }
    let result = match name {
        mail::send::NAME => run(arguments, |given| mail::send::call(backend, given)).await,
        mail::list::NAME => run(arguments, |given| mail::list::call(backend, given)).await,
        mail::read::NAME => run(arguments, |given| mail::read::call(backend, given)).await,
        mail::inbox::NAME => run(arguments, |given| mail::inbox::call(backend, given)).await,
        mail::wait::NAME => run(arguments, |given| mail::wait::call(backend, given)).await,
        mail::ack::NAME => run(arguments, |given| mail::ack::call(backend, given)).await,
        mail::mark_read::NAME => run(arguments, |given| mail::mark_read::call(backend, given)).await,
        mail::counts::NAME => run(arguments, |given: Nothing| mail::counts::call(backend, given)).await,
        mail::types::NAME => run(arguments, |given: Nothing| mail::types::call(backend, given)).await,
        presence::list::NAME => run(arguments, |given| presence::list::call(backend, given)).await,
        presence::register::NAME => run(arguments, |given| presence::register::call(backend, given)).await,
        presence::heartbeat::NAME => run(arguments, |given| presence::heartbeat::call(backend, given)).await,
        presence::unregister::NAME => run(arguments, |given| presence::unregister::call(backend, given)).await,
        whoami::NAME => run(arguments, |given: Nothing| whoami::call(backend, given)).await,
        _ => return None,
    };
    Some(result)
}

/// A call that failed before or outside its tool.
pub(super) fn failed(problem: &Problem) -> CallToolResult {
    outcome::failure(problem)
}

/// The arguments of a tool that takes none.
#[derive(Debug, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

async fn run<I, O, C, F>(arguments: JsonObject, call: C) -> CallToolResult
where
    I: DeserializeOwned,
    O: Serialize,
    C: FnOnce(I) -> F,
    F: Future<Output = super::Result<O>>,
{
    let outcome = match arguments::parse(arguments) {
        Ok(given) => call(given).await,
        Err(problem) => Err(problem),
    };
    match outcome {
        Ok(value) => outcome::success(&value),
        Err(problem) => outcome::failure(&problem),
    }
}
