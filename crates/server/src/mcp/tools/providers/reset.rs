//! `providers_reset`.

use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::providers::{PoolType, ProviderId, ProvidersReset, ResetProviders};
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::mcp::tools) const NAME: &str = "providers_reset";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// The pool.
    pool: PoolType,
    /// One provider of it; all when absent.
    provider: Option<ProviderId>,
    /// Begin to count requests and errors at 0 again.
    #[serde(default)]
    counters: bool,
    /// Be as healthy as a new one, with a closed circuit unless it was forced open.
    #[serde(default)]
    health: bool,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, ProvidersReset>(Description {
        name: NAME,
        title: "Reset providers",
        text: "Sets health or counters of a provider back, or of all in a pool; both where neither is named. Use it with health \
               once the cause of failures is mended, so that nobody waits until providers are tried again by themselves.",
        effect: Effect::Removes,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<ProvidersReset> {
    let reset = ResetProviders { counters: given.counters, health: given.health };
    backend.reset_providers(&given.pool, given.provider.as_ref(), reset).await
}
