//! Reading a picture out of a store.

use super::applying::keys;
use super::applying::texts::{self, Stored};
use super::picture::{Content, KEYS_FILE, POOLS_FILE, Pool, Provider, Reading};
use super::plan::{FILES, LEGACY, Name, ORDER_KEY, Order, POOLS, Place, Sealed, main_documents, provider_name};
use super::text::parse;
use crate::failure::Failure;
use mainstay_api::documents::{CollectionName, ListDocuments, MAX_PAGE};
use mainstay_api::providers::{PoolType, ProviderId};
use mainstay_api::{Code, Problem, RawJson};
use mainstay_client::Client;
use std::collections::BTreeMap;

/// Reads all that an import wrote, as it is now.
///
/// # Errors
/// Those of the store.
pub async fn read(client: &Client) -> Result<Reading, Failure> {
    let mut reading = Reading::default();
    for (file, name) in main_documents() {
        if let Some(stored) = document(client, name).await? {
            reading.picture.files.insert(file.to_owned(), Content::Json(stored.text));
        }
    }
    for key in keys_of(client, FILES).await? {
        let Some(stored) = document(client, Name::of(FILES, &key)).await? else { continue };
        match (key.ends_with(".json"), stored.text.read::<String>()) {
            (false, Ok(text)) => drop(reading.picture.files.insert(key, Content::Text(text))),
            (true, _) => drop(reading.picture.files.insert(key, Content::Json(stored.text))),
            (false, Err(_)) => reading.fail(format!("{FILES}/{key}"), "it is no text"),
        }
    }
    for key in keys_of(client, LEGACY).await?.into_iter().filter(|key| key != KEYS_FILE) {
        let Some(stored) = document(client, Name::of(LEGACY, &key)).await? else { continue };
        if let Ok(Sealed { secret }) = stored.text.read() {
            unseal(key, secret, &mut reading);
        }
    }
    if let Some(file) = keys::read(client).await? {
        reading.picture.files.insert(KEYS_FILE.to_owned(), Content::Json(file));
    }
    pools(client, &mut reading).await?;
    Ok(reading)
}

fn unseal(key: String, text: String, reading: &mut Reading) {
    if !key.ends_with(".json") {
        reading.picture.files.insert(key, Content::Text(text));
        return;
    }
    match parse(&text) {
        Err(reason) => reading.fail(format!("{LEGACY}/{key}"), reason),
        Ok(json) if key.contains('/') => drop(reading.picture.orphans.insert(key, json)),
        Ok(json) => drop(reading.picture.files.insert(key, Content::Json(json))),
    }
}

/// The pools: in the order of the import, and behind it those that were added since, by name.
async fn pools(client: &Client, reading: &mut Reading) -> Result<(), Failure> {
    let mut bodies: BTreeMap<(PoolType, ProviderId), RawJson> = BTreeMap::new();
    for key in keys_of(client, POOLS).await? {
        let place = key
            .split_once('/')
            .and_then(|(pool, provider)| Some((PoolType::parse(pool).ok()?, ProviderId::parse(provider).ok()?)));
        let Some((pool, provider)) = place else {
            reading.fail(format!("{POOLS}/{key}"), format!("it is no provider of {POOLS_FILE}"));
            continue;
        };
        if let Some(stored) = document(client, provider_name(&pool, &provider)).await? {
            bodies.insert((pool, provider), stored.text);
        }
    }
    let order = document(client, Name::of(LEGACY, ORDER_KEY)).await?;
    let is_known = order.is_some();
    let Order(order) = order.and_then(|stored| stored.text.read().ok()).unwrap_or(Order(Vec::new()));
    let mut pools: Vec<Pool> = Vec::new();
    for (kind, ids) in order {
        let mut pool = Pool { kind, providers: Vec::new() };
        for id in ids {
            if let Some(body) = bodies.remove(&(pool.kind.clone(), id.clone())) {
                pool.providers.push(provider(client, &pool.kind, id, body).await?);
            }
        }
        pools.push(pool);
    }
    for ((kind, id), body) in bodies {
        let provider = provider(client, &kind, id, body).await?;
        match pools.iter_mut().find(|pool| pool.kind == kind) {
            Some(pool) => pool.providers.push(provider),
            None => pools.push(Pool { kind, providers: vec![provider] }),
        }
    }
    reading.picture.pools = (is_known || !pools.is_empty()).then_some(pools);
    Ok(())
}

async fn provider(client: &Client, kind: &PoolType, id: ProviderId, body: RawJson) -> Result<Provider, Failure> {
    let credential = texts::read(client, &Place::Credential(kind.clone(), id.clone())).await?;
    Ok(Provider { id, body, credential: credential.map(|stored| stored.text) })
}

async fn document(client: &Client, name: Result<Name, String>) -> Result<Option<Stored>, Failure> {
    let name = name.map_err(|reason| Problem::new(Code::InvalidRequest, reason, "Rename the document."))?;
    Ok(texts::document(client, &name).await?)
}

/// The keys of a collection, in order.
async fn keys_of(client: &Client, collection: &str) -> Result<Vec<String>, Failure> {
    let collection = CollectionName::parse(collection)
        .map_err(|error| Problem::new(Code::InvalidRequest, error.to_string(), "Name a collection."))?;
    let mut keys = Vec::new();
    let mut list = ListDocuments { limit: Some(MAX_PAGE), cursor: None };
    loop {
        let page = client.documents().list(&collection, &list).await?;
        keys.extend(page.items.into_iter().map(|document| document.key.to_string()));
        match page.next {
            Some(next) => list.cursor = Some(next),
            None => return Ok(keys),
        }
    }
}
