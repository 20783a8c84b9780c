//! Reading a picture out of a store.

use super::applying::keys;
use super::applying::pools::{self, Standing};
use super::applying::texts::{self, Stored};
use super::picture::{Content, KEYS_FILE, Pool, Provider, Reading};
use super::plan::{FILES, IMPORT_KEY, LEGACY, ORDER_KEY, Order, Place, Sealed, main_documents, named};
use super::state::State;
use super::text::parse;
use crate::failure::Failure;
use mainstay_api::documents::{CollectionName, ListDocuments, MAX_PAGE};
use mainstay_api::providers::PoolType;
use mainstay_api::{Code, Problem, RawJson};
use mainstay_client::Client;
use mainstay_core::documents::DocumentName;

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
        let Some(stored) = document(client, named(FILES, &key)).await? else { continue };
        match (key.ends_with(".json"), stored.text.read::<String>()) {
            (false, Ok(text)) => drop(reading.picture.files.insert(key, Content::Text(text))),
            (true, _) => drop(reading.picture.files.insert(key, Content::Json(stored.text))),
            (false, Err(_)) => reading.fail(format!("{FILES}/{key}"), "it is no text"),
        }
    }
    let other = [ORDER_KEY, IMPORT_KEY, KEYS_FILE];
    for key in keys_of(client, LEGACY).await?.into_iter().filter(|key| !other.contains(&key.as_str())) {
        let Some(stored) = document(client, named(LEGACY, &key)).await? else { continue };
        if let Ok(Sealed { secret }) = stored.text.read() {
            unseal(key, secret, &mut reading);
        }
    }
    if let Some(file) = keys::read(client).await? {
        reading.picture.files.insert(KEYS_FILE.to_owned(), Content::Json(file));
    }
    all_pools(client, &mut reading).await?;
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
async fn all_pools(client: &Client, reading: &mut Reading) -> Result<(), Failure> {
    let order = document(client, named(LEGACY, ORDER_KEY)).await?;
    let is_known = order.is_some();
    let Order { pools: order } = order.and_then(|stored| stored.text.read().ok()).unwrap_or_default();
    let mut there: Vec<PoolType> =
        client.providers().pools().await?.pools.into_iter().map(|entry| entry.pool).collect();
    there.sort_by_key(|kind| order.iter().position(|known| known == kind).unwrap_or(usize::MAX));
    let mut pools = Vec::with_capacity(there.len());
    for kind in there {
        pools.push(pool(client, kind).await?);
    }
    reading.picture.pools = (is_known || !pools.is_empty()).then_some(pools);
    Ok(())
}

async fn pool(client: &Client, kind: PoolType) -> Result<Pool, Failure> {
    let Standing { settings, providers: there, .. } = pools::read(client, &kind).await?;
    let mut providers = Vec::with_capacity(there.len());
    for provider in there {
        let body = State::of(&provider).told_in(&provider.id, &provider.settings);
        let credential = match provider.credential {
            Some(_) => texts::read(client, &Place::Credential(kind.clone(), provider.id.clone())).await?,
            None => None,
        };
        providers.push(Provider { id: provider.id, body, credential: credential.map(|stored| stored.text) });
    }
    let settings = (settings != RawJson::empty_object()).then_some(settings);
    Ok(Pool { kind, settings, providers })
}

async fn document(client: &Client, name: Result<DocumentName, String>) -> Result<Option<Stored>, Failure> {
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
