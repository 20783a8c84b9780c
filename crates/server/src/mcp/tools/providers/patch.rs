//! `providers_patch`.

use super::view::Shown;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::providers::{PoolType, ProviderId};
use mainstay_api::{Code, Problem, RawJson};
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::mcp::tools) const NAME: &str = "providers_patch";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// The pool.
    pool: PoolType,
    /// The provider.
    provider: ProviderId,
    /// The members to change as JSON text, such as {"disabled": true} or {"weight": 3}; null removes one.
    json: String,
    /// The version that its settings must have.
    expected: Option<u64>,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, Shown>(Description {
        name: NAME,
        title: "Change a provider",
        text: "Changes the given settings of a provider and no others, for instance to leave it out of every choice \
               ({\"disabled\": true}) or to let it be chosen again. Its health and its counters stay as they are.",
        effect: Effect::Removes,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<Shown> {
    // What a parser says of it may repeat parts of a secret.
    let patch = RawJson::parse(&given.json).map_err(|_| {
        let help = "Give the members to change as JSON text, such as {\"weight\": 3}.";
        Box::new(Problem::new(Code::InvalidRequest, "json: this is no JSON", help))
    })?;
    Ok(Shown::of(backend.patch_provider(&given.pool, &given.provider, (patch, given.expected)).await?))
}
