//! The tools: the table in its order, and the way from a call to its result.

mod arguments;
mod conversations;
mod events;
mod legacy;
mod mail;
mod outcome;
mod presence;
mod providers;
mod schema;
mod settings;
mod whoami;

use super::backend::Backend;
use super::guidance;
use crate::access::{Access, Needs, audited};
use futures::FutureExt;
use mainstay_api::Problem;
use mainstay_api::audit::AuditClass;
use mainstay_core::Scope;
use rmcp::model::{CallToolResult, JsonObject, Tool};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::LazyLock;

/// Every tool, in an order that does not change: the eight of the original first, then the rest by domain.
pub(super) static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| {
    let mut tools = legacy::tools();
    tools.extend(mail::tools());
    tools.extend(presence::tools());
    tools.extend(conversations::tools());
    tools.extend(events::tools());
    tools.extend(settings::tools());
    tools.extend(providers::tools());
    tools.push(whoami::tool());
    tools
});

/// The tool of the given name.
pub(super) fn find(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.name == name)
}

/// Whether the answer of a tool may take long: that of the one that waits for mail, and of the one that asks an agent.
pub(super) fn waits(name: &str) -> bool {
    [mail::wait::NAME, conversations::chat::NAME].contains(&name)
}

/// Declares the modern tools: each says here what its caller needs.
macro_rules! modern_tools {
    ($($($module:ident)::+ [$needs:expr];)+) => {
        /// What the caller of a tool needs, and what is recorded. `None` where there is no tool of this name.
        fn access(name: &str) -> Option<Access> {
            match name {
                $($($module)::+::NAME => Some($needs.into()),)+
                other => legacy::needs(other).map(Access::from),
            }
        }

        async fn call_modern(backend: &dyn Backend, name: &str, arguments: JsonObject) -> Option<CallToolResult> {
            let result = match name {
                $($($module)::+::NAME => run(arguments, |given| $($module)::+::call(backend, given)).await,)+
                _ => return None,
            };
            Some(result)
        }
    };
}

modern_tools! {
    mail::send [Scope::MailWrite];
    mail::list [Scope::MailRead];
    mail::read [Scope::MailRead];
    mail::inbox [Scope::MailRead];
    mail::wait [Scope::MailRead];
    mail::ack [Scope::MailWrite];
    mail::mark_read [Scope::MailWrite];
    mail::counts [Scope::MailRead];
    mail::types [Scope::MailRead];
    presence::list [Scope::PresenceRead];
    presence::register [Scope::PresenceWrite];
    presence::heartbeat [Scope::PresenceWrite];
    presence::unregister [Scope::PresenceWrite];
    conversations::create [audited(Scope::ConversationsWrite, AuditClass::Write, "conversations.create", "conversation")];
    conversations::list [audited(Scope::ConversationsRead, AuditClass::Read, "conversations.list", "conversation")];
    conversations::show [audited(Scope::ConversationsRead, AuditClass::Read, "conversations.read", "conversation")];
    conversations::messages [audited(Scope::ConversationsRead, AuditClass::Read, "conversations.messages", "conversation")];
    conversations::append [audited(Scope::ConversationsWrite, AuditClass::Write, "conversations.append", "conversation")];
    conversations::fork [audited(Scope::ConversationsWrite, AuditClass::Write, "conversations.fork", "conversation")];
    conversations::delete [audited(Scope::ConversationsWrite, AuditClass::Delete, "conversations.delete", "conversation")];
    conversations::chat [audited(Scope::ConversationsWrite, AuditClass::Write, "conversations.send", "conversation")];
    events::publish [Scope::EventsWrite];
    events::read [Scope::EventsRead];
    events::streams [Scope::EventsRead];
    settings::get [Scope::DocumentsRead];
    settings::list [Scope::DocumentsRead];
    settings::set [audited(Scope::DocumentsWrite, AuditClass::Write, "documents.put", "document")];
    providers::list [Scope::ProvidersRead];
    providers::get [Scope::ProvidersRead];
    providers::patch [audited(Scope::ProvidersWrite, AuditClass::Write, "providers.patch", "provider")];
    providers::reset [audited(Scope::ProvidersWrite, AuditClass::Write, "providers.reset", "pool")];
    providers::breaker [audited(Scope::ProvidersWrite, AuditClass::Write, "providers.breaker", "provider")];
    whoami [Needs::Caller];
}

/// Calls a tool. `None` where there is no tool of this name.
pub(super) async fn call(backend: &dyn Backend, name: &str, arguments: JsonObject) -> Option<CallToolResult> {
    let access = access(name)?;
    if let Err(problem) = backend.allows(access.needs) {
        backend.refused(problem.code).await;
        return Some(failed(&problem));
    }
    let arguments = arguments::present(arguments);
    let Some(audited) = access.audit else {
        let result = call_any(backend, name, arguments).await?;
        if let Some(code) = guidance::code(&result).filter(|code| code.entry().http == 403) {
            backend.refused(code).await;
        }
        return Some(result);
    };
    let resource = ["conversation", "id", "key", "provider", "pool"]
        .iter()
        .find_map(|key| arguments.get(*key)?.as_str())
        .map(str::to_owned);
    let call = call_any(backend, name, arguments).map(|result| result.unwrap_or_default());
    Some(backend.recorded(audited, resource, call.boxed()).await.unwrap_or_else(|problem| failed(&problem)))
}

async fn call_any(backend: &dyn Backend, name: &str, arguments: JsonObject) -> Option<CallToolResult> {
    match legacy::call(backend, name, arguments.clone()).await {
        Some(result) => Some(result),
        None => call_modern(backend, name, arguments).await,
    }
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
