//! Texts of their own: documents, and credentials of providers.

use super::super::picture::Failed;
use super::super::plan::Place;
use super::super::report::Report;
use super::{Writing, boxed, known, pools};
use mainstay_api::documents::{Transaction, WriteDocument, WriteOp};
use mainstay_api::providers::{PoolType, ProviderId, PutCredentialQuery};
use mainstay_api::{Code, Problem, RawJson};
use mainstay_client::Client;
use mainstay_core::documents::DocumentName;

/// What stands in the store.
pub struct Stored {
    /// Its version.
    pub version: u64,
    /// Its text, with secrets.
    pub text: RawJson,
}

/// Writes a text where none stands, or another one and that is to be replaced.
pub(super) async fn apply(
    writing: Writing<'_>,
    (place, text): (&Place, &RawJson),
    report: &mut Report,
) -> Result<(), Box<Problem>> {
    let Writing { client, options, origin } = writing;
    let stored = read(client, place).await?;
    match &stored {
        Some(stored) if stored.text == *text => {
            report.unchanged += 1;
            report.verified += 1;
            return Ok(());
        }
        Some(_) if !options.force => {
            report.keep(origin, "the store holds something else; --force replaces it");
            return Ok(());
        }
        _ => {}
    }
    if !options.dry_run {
        let is_first = stored.is_none();
        // A credential that is written takes the need of a refresh away. The one of the folder is that which has the need.
        let needy = match place {
            Place::Credential(pool, provider) if is_first => pools::needs_refresh(client, pool, provider).await?,
            _ => None,
        };
        write(client, (place, text), stored.as_ref().map_or(0, |stored| stored.version)).await?;
        if let Some(needy) = needy {
            needy.say_again(client).await?;
        }
        match read(client, place).await? {
            Some(stored) if stored.text == *text => report.verified += 1,
            _ => {
                let reason = "what was written was not read back; somebody may have changed it meanwhile".into();
                report.failed.push(Failed { origin: origin.to_owned(), reason });
            }
        }
    }
    match stored {
        Some(_) => report.replaced += 1,
        None => report.created += 1,
    }
    Ok(())
}

/// What stands at a place; absent where there is nothing.
///
/// # Errors
/// Those of the store.
pub async fn read(client: &Client, place: &Place) -> Result<Option<Stored>, Box<Problem>> {
    match place {
        Place::Document(name) => document(client, name).await,
        Place::Credential(pool, provider) => credential(client, pool, provider).await,
    }
}

/// A document with its secrets; absent where there is none.
///
/// # Errors
/// Those of the store.
pub async fn document(client: &Client, name: &DocumentName) -> Result<Option<Stored>, Box<Problem>> {
    let read = client.documents().reveal(&name.collection, &name.key).await;
    let read = known(read, Code::DocumentNotFound)?;
    Ok(read.map(|document| Stored { version: document.revision, text: document.value }))
}

async fn credential(client: &Client, pool: &PoolType, provider: &ProviderId) -> Result<Option<Stored>, Box<Problem>> {
    let read = known(client.credential(pool, provider).reveal().await, Code::TokensNotFound)?;
    Ok(read.map(|credential| Stored { version: credential.version, text: credential.credential }))
}

async fn write(client: &Client, (place, text): (&Place, &RawJson), expected: u64) -> Result<(), Box<Problem>> {
    let written = match place {
        Place::Document(name) => {
            let change = WriteDocument {
                collection: name.collection.clone(),
                key: name.key.clone(),
                op: WriteOp::Put,
                value: Some(text.clone()),
                revision: None,
                expected: Some(expected),
                ttl_ms: None,
            };
            let transaction = Transaction { changes: vec![change], dry_run: false };
            client.documents().write(&transaction, None).await.map(drop)
        }
        Place::Credential(pool, provider) => {
            let query = PutCredentialQuery { expected: Some(expected) };
            client.credential(pool, provider).put(text, &query).await.map(drop)
        }
    };
    written.map_err(boxed)
}
