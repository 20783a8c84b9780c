//! What the files of the original hold, whatever they were read from.

use mainstay_api::RawJson;
use mainstay_api::providers::{PoolType, ProviderId};
use serde::Serialize;
use std::collections::BTreeMap;

/// The pools.
pub const POOLS_FILE: &str = "provider_pools.json";
/// The main settings.
pub const CONFIG_FILE: &str = "config.json";
/// Sessions of the original's own pages.
pub const SESSIONS_FILE: &str = "token-store.json";
/// The password of the original's own pages.
pub const PASSWORD_FILE: &str = "pwd";
/// The keys of those who ask.
pub const KEYS_FILE: &str = "api-potluck-keys.json";

/// The last answers about what is left of quotas.
pub const USAGE_FILE: &str = "usage-cache.json";
/// The plugins of the original, and whether they are on.
pub const PLUGINS_FILE: &str = "plugins.json";
/// Files that are no token file, whatever a path says.
pub const OWN_FILES: &[&str] = &[
    POOLS_FILE,
    CONFIG_FILE,
    SESSIONS_FILE,
    KEYS_FILE,
    USAGE_FILE,
    PLUGINS_FILE,
    "api-potluck-data.json",
    "custom_models.json",
    super::writing::PLACES_FILE,
];

/// What a folder of the original holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    /// Files of the folder itself by name, but for the pools.
    pub files: BTreeMap<String, Content>,
    /// The pools in their order; absent where there is no file of them.
    pub pools: Option<Vec<Pool>>,
    /// Token files that no provider names, by their path within the folder.
    pub orphans: BTreeMap<String, RawJson>,
}

/// What stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// JSON.
    Json(RawJson),
    /// Any text.
    Text(String),
}

impl Content {
    /// The text of the file.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Json(json) => json.as_str(),
            Self::Text(text) => text,
        }
    }
}

/// A pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// Its type, which is its name.
    pub kind: PoolType,
    /// The settings of the pool itself, where there are any. The original has none.
    pub settings: Option<RawJson>,
    /// Its providers in their order; there may be none.
    pub providers: Vec<Provider>,
}

/// A provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its `uuid`.
    pub id: ProviderId,
    /// All that the file says of it.
    pub body: RawJson,
    /// Its token file, where it names one that can be read.
    pub credential: Option<RawJson>,
}

/// Something that cannot be taken as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// Where it stands: a file, a key, or a place in one.
    pub origin: String,
    /// Why.
    pub reason: String,
}

/// A picture, and what there is to say of how it was read.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The picture.
    pub picture: Picture,
    /// What cannot be read; all else was.
    pub failed: Vec<Failed>,
    /// Token files that providers name and that are not there.
    pub missing: Vec<Failed>,
    /// What was left where it is, because it is none of the files of the original.
    pub ignored: Vec<String>,
}

impl Reading {
    /// Notes something that cannot be read.
    pub fn fail(&mut self, origin: impl Into<String>, reason: impl Into<String>) {
        self.failed.push(Failed { origin: origin.into(), reason: reason.into() });
    }
}
