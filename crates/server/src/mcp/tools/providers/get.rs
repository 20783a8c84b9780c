//! `providers_get`.

use super::view::Shown;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::providers::{PoolType, ProviderId};
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::mcp::tools) const NAME: &str = "providers_get";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// The pool; providers_list lists them.
    pool: PoolType,
    /// The provider.
    provider: ProviderId,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, Shown>(Description {
        name: NAME,
        title: "Read a provider",
        text: "Returns one provider of a pool: its settings as they were written, with ******** in the place of secrets, its \
               health, its circuit and its counters.",
        effect: Effect::Reads,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<Shown> {
    Ok(Shown::of(backend.provider(&given.pool, &given.provider).await?))
}
