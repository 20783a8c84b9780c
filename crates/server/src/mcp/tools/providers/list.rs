//! `providers_list`.

use super::view::Shown;
use crate::mcp::tools::schema::{self, Description, Effect};
use crate::mcp::{Backend, Result};
use mainstay_api::providers::{PoolEntry, PoolType};
use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::mcp::tools) const NAME: &str = "providers_list";

/// Most providers that are shown: a model reads no more with profit.
const MAX_SHOWN: usize = 100;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp::tools) struct Given {
    /// The pool whose providers are listed; without it, the pools are.
    pool: Option<PoolType>,
}

/// Pools, or the providers of one.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp::tools) struct Answer {
    /// The pools of the namespace, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pools: Option<Vec<PoolEntry>>,
    /// The providers of the pool in their order, 100 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    providers: Option<Vec<Shown>>,
    /// The settings of the pool itself, as JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    json: Option<String>,
    /// How many providers the pool has, where not all are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<usize>,
}

pub(super) fn tool() -> Tool {
    schema::tool::<Given, Answer>(Description {
        name: NAME,
        title: "List providers",
        text: "Lists the pools of providers of models; with a pool, its settings and its providers with their health, circuit \
               and counters. Look here first when requests to models fail.",
        effect: Effect::Reads,
    })
}

pub(in crate::mcp::tools) async fn call(backend: &dyn Backend, given: Given) -> Result<Answer> {
    let Some(pool) = given.pool else {
        let pools = Some(backend.pools().await?.pools);
        return Ok(Answer { pools, providers: None, json: None, of: None });
    };
    let pool = backend.pool(&pool).await?;
    let count = pool.providers.len();
    Ok(Answer {
        pools: None,
        providers: Some(pool.providers.into_iter().take(MAX_SHOWN).map(Shown::of).collect()),
        json: Some(pool.settings.as_str().to_owned()),
        of: (count > MAX_SHOWN).then_some(count),
    })
}
