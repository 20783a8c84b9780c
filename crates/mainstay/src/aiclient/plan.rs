//! What a picture becomes in a store: documents, and credentials of providers.
//!
//! | file | what becomes of it |
//! |---|---|
//! | `config.json`, `plugins.json`, `usage-cache.json` | the documents `settings/main`, `plugins/main`, `usage-cache/main` |
//! | `provider_pools.json` | pools of providers, with their settings, health and counters; the order of pools in `legacy/pools` |
//! | token files of providers | their credentials |
//! | `api-potluck-keys.json` | gateway keys; the file itself, for the way back, a document of `legacy` |
//! | other token files, `pwd`, sessions | documents of `legacy`, each sealed as a whole |
//! | any other JSON or text | documents of `files` |

use super::picture::{
    CONFIG_FILE, Content, Failed, KEYS_FILE, PASSWORD_FILE, PLUGINS_FILE, POOLS_FILE, Picture, Pool, SESSIONS_FILE,
    USAGE_FILE,
};
use mainstay_api::RawJson;
use mainstay_api::documents::{CollectionName, DocumentKey};
use mainstay_api::providers::{PoolType, ProviderId};
use mainstay_core::documents::DocumentName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Documents that are sealed as a whole, and what is known of the import.
pub const LEGACY: &str = "legacy";
/// Files that Mainstay has no other place for.
pub const FILES: &str = "files";
/// The document that says in which order pools stood.
pub const ORDER_KEY: &str = "pools";
/// The document that says when and from where was imported last.
pub const IMPORT_KEY: &str = "import";

/// Files of the folder with secrets in their names of members, where sealing members would leave them readable.
const SEALED: &[&str] = &[PASSWORD_FILE, SESSIONS_FILE, KEYS_FILE, "api-potluck-data.json"];
/// Files that are one document of a collection of their own.
const MAIN: &[(&str, &str)] = &[(CONFIG_FILE, "settings"), (PLUGINS_FILE, "plugins"), (USAGE_FILE, "usage-cache")];

/// One thing to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Where it came from.
    pub origin: String,
    /// What it becomes.
    pub target: Target,
}

/// What something becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A text of its own.
    Text(Place, RawJson),
    /// A pool with its providers, but for their credentials.
    Pool(Pool),
    /// Gateway keys, and the file that they are written into again.
    Keys(RawJson),
}

/// Where a text of its own stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a document.
    Document(DocumentName),
    /// In the credential of a provider.
    Credential(PoolType, ProviderId),
}

/// The name of a document, from its parts.
///
/// # Errors
/// Why it cannot be one.
pub fn named(collection: &str, key: &str) -> Result<DocumentName, String> {
    let collection = CollectionName::parse(collection).map_err(|error| error.to_string())?;
    Ok(DocumentName { collection, key: DocumentKey::parse(key).map_err(|error| error.to_string())? })
}

/// A text that is sealed as a whole: a member that is called so is.
#[derive(Debug, Serialize, Deserialize)]
pub struct Sealed {
    /// The text of the file.
    pub secret: String,
}

/// Pools in their order. The order of providers is that of their pool.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Order {
    /// The pools.
    pub pools: Vec<PoolType>,
}

/// The document where a file of the folder belongs.
///
/// # Errors
/// Why it can have none.
pub fn home_of(file: &str) -> Result<DocumentName, String> {
    match MAIN.iter().find(|(name, _)| *name == file) {
        Some((_, collection)) => named(collection, "main"),
        None if SEALED.contains(&file) => named(LEGACY, file),
        None => named(FILES, file),
    }
}

/// The files that are a document of a collection of their own, with it.
pub fn main_documents() -> impl Iterator<Item = (&'static str, Result<DocumentName, String>)> {
    MAIN.iter().map(|(file, collection)| (*file, named(collection, "main")))
}

/// All that a picture becomes, in the order in which it is written: pools before the document that says in which order they stand.
pub fn of(picture: &Picture) -> (Vec<Item>, Vec<Failed>) {
    let mut plan = Plan::default();
    for (file, content) in &picture.files {
        if let (KEYS_FILE, Content::Json(keys)) = (file.as_str(), content) {
            plan.items.push(Item { origin: file.clone(), target: Target::Keys(keys.clone()) });
            continue;
        }
        let value = match content {
            _ if SEALED.contains(&file.as_str()) => sealed(content.as_str()),
            Content::Json(json) => Ok(json.clone()),
            Content::Text(text) => RawJson::of(text).map_err(|error| error.to_string()),
        };
        plan.document(file, home_of(file), value);
    }
    for (file, text) in &picture.orphans {
        plan.document(file, named(LEGACY, file), sealed(text.as_str()));
    }
    for pool in picture.pools.iter().flatten() {
        plan.pool(pool);
    }
    if let Some(pools) = &picture.pools {
        let order = Order { pools: pools.iter().map(|pool| pool.kind.clone()).collect() };
        let value = RawJson::of(&order).map_err(|error| error.to_string());
        plan.document("the order of pools", named(LEGACY, ORDER_KEY), value);
    }
    (plan.items, plan.failed)
}

/// A text as the document that it is sealed in as a whole.
///
/// # Errors
/// Why it has no JSON form.
pub fn sealed(text: &str) -> Result<RawJson, String> {
    RawJson::of(&Sealed { secret: text.to_owned() }).map_err(|error| error.to_string())
}

#[derive(Default)]
struct Plan {
    items: Vec<Item>,
    failed: Vec<Failed>,
}

impl Plan {
    fn document(&mut self, origin: &str, name: Result<DocumentName, String>, value: Result<RawJson, String>) {
        match (name, value) {
            (Ok(name), Ok(value)) => {
                let target = Target::Text(Place::Document(name), value);
                self.items.push(Item { origin: origin.to_owned(), target });
            }
            (Err(reason), _) | (_, Err(reason)) => self.failed.push(Failed { origin: origin.to_owned(), reason }),
        }
    }

    /// Credentials come behind their pool: a credential is one of a provider that is there.
    fn pool(&mut self, pool: &Pool) {
        let origin = format!("{POOLS_FILE}: {}", pool.kind);
        self.items.push(Item { origin, target: Target::Pool(pool.clone()) });
        for provider in &pool.providers {
            if let Some(text) = &provider.credential {
                let origin = format!("the credential of {}/{}", pool.kind, provider.id);
                let place = Place::Credential(pool.kind.clone(), provider.id.clone());
                self.items.push(Item { origin, target: Target::Text(place, text.clone()) });
            }
        }
    }
}

/// Sessions of the original, by whether they are over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sessions {
    /// Those that go on.
    pub live: usize,
    /// Those that are over.
    pub expired: usize,
}

/// Counts the sessions of a picture.
pub fn sessions(picture: &Picture, now_ms: i64) -> Sessions {
    #[derive(Deserialize)]
    struct File {
        tokens: BTreeMap<String, Session>,
    }
    #[derive(Deserialize)]
    struct Session {
        #[serde(rename = "expiryTime", default)]
        expires_at_ms: f64,
    }
    let text = picture.files.get(SESSIONS_FILE).map_or("", Content::as_str);
    let Ok(file) = serde_json::from_str::<File>(text) else { return Sessions::default() };
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit the mantissa")]
    let live = file.tokens.values().filter(|session| session.expires_at_ms > now_ms as f64).count();
    Sessions { live, expired: file.tokens.len() - live }
}
