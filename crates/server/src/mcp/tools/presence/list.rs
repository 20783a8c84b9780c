//! `presence_list`.

use crate::mcp::tools::arguments::invalid;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::presence::{Instance, PresenceState};
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::mcp::tools) const NAME: &str = "presence_list";

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1_000;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// Only instances that are active.
    #[serde(default)]
    active_only: bool,
    /// Only instances whose name comes after this one: the last name of the page before.
    after: Option<String>,
    /// Instances at most: 1 to 1000, 100 when absent.
    #[schemars(range(min = 1, max = 1_000))]
    limit: Option<usize>,
}

/// Instances by name.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp::tools) struct Answer {
    /// The instances.
    instances: Vec<Instance>,
    /// How many follow that are not shown.
    left_out: usize,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, Answer>(Description {
        name: NAME,
        title: "Who is there",
        text: "Lists the instances of the team by name: who is active, in which role, on which branch, and what they \
               work on. These names are the recipients of mail.",
        effect: Effect::Reads,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<Answer> {
    let limit = given.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(invalid(format!("limit: {limit}; ask for 1 to {MAX_LIMIT}, and page on")));
    }
    let mut instances = backend.presence().await?.instances;
    instances.retain(|instance| {
        let wanted = !given.active_only || instance.state == PresenceState::Active;
        wanted && given.after.as_deref().is_none_or(|after| instance.instance.as_str() > after)
    });
    let left_out = instances.len().saturating_sub(limit);
    instances.truncate(limit);
    Ok(Answer { instances, left_out })
}
