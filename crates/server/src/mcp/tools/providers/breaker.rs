//! `providers_breaker`.

use super::view::Shown;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::providers::{BreakerAction, PoolType, ProviderId, SetBreaker};
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::mcp::tools) const NAME: &str = "providers_breaker";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// The pool.
    pool: PoolType,
    /// The provider.
    provider: ProviderId,
    /// open lets no request through until somebody closes it; close lets the rules decide again.
    action: BreakerAction,
    /// Why, for those who look at it later.
    reason: Option<String>,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, Shown>(Description {
        name: NAME,
        title: "Set a circuit",
        text: "Forces the circuit of a provider open, on all nodes and until somebody closes it, or closes it, however it was \
               opened. providers_get shows how it stands.",
        effect: Effect::Removes,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<Shown> {
    let set = SetBreaker { action: given.action, reason: given.reason };
    Ok(Shown::of(backend.set_breaker(&given.pool, &given.provider, set).await?))
}
