//! Writing a plan into a store, and reading it back.

use super::picture::Failed;
use super::plan::{Item, Name, Target};
use super::report::Report;
use crate::failure::Failure;
use mainstay_api::documents::{Transaction, WriteDocument, WriteOp};
use mainstay_api::providers::{PoolType, ProviderId, PutCredentialQuery};
use mainstay_api::{Code, Problem, RawJson};
use mainstay_client::{Client, ClientError};

/// How to write.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Whether what is there otherwise is replaced.
    pub force: bool,
    /// Whether only to say what would be written.
    pub dry_run: bool,
}

/// Writes what is not in the store as it is planned, and reads it back. What is written already is left alone, so that a
/// second run changes nothing, and one that was interrupted goes on.
///
/// # Errors
/// Where the store, or the credential, does not allow it at all; what was written until then stays.
pub async fn apply(client: &Client, items: &[Item], options: Options, report: &mut Report) -> Result<(), Failure> {
    report.dry_run = options.dry_run;
    for item in items {
        if let Err(problem) = apply_one(client, item, options, report).await {
            if concerns_all(&problem) {
                return Err(problem.into());
            }
            report.failed.push(Failed { origin: item.origin.clone(), reason: problem.detail });
        }
    }
    Ok(())
}

/// Whether a problem is not that of one item: whatever is tried next fails like it.
fn concerns_all(problem: &Problem) -> bool {
    let entry = problem.code.entry();
    entry.retryable || entry.exit == 3 || [401, 403].contains(&entry.http) || problem.code == Code::SecretsKeyMissing
}

async fn apply_one(client: &Client, item: &Item, options: Options, report: &mut Report) -> Result<(), Box<Problem>> {
    let stored = read(client, &item.target).await?;
    match &stored {
        Some(stored) if stored.is(&item.target) => {
            report.unchanged += 1;
            report.verified += 1;
            return Ok(());
        }
        Some(_) if !options.force => {
            let reason = "the store holds something else; --force replaces it".into();
            report.kept.push(Failed { origin: item.origin.clone(), reason });
            return Ok(());
        }
        _ => {}
    }
    if !options.dry_run {
        write(client, &item.target, stored.as_ref().map_or(0, |stored| stored.version)).await?;
        match read(client, &item.target).await? {
            Some(stored) if stored.is(&item.target) => report.verified += 1,
            _ => {
                let reason = "what was written was not read back; somebody may have changed it meanwhile".into();
                report.failed.push(Failed { origin: item.origin.clone(), reason });
            }
        }
    }
    match stored {
        Some(_) => report.replaced += 1,
        None => report.created += 1,
    }
    Ok(())
}

/// What stands in the store.
pub struct Stored {
    /// Its version.
    pub version: u64,
    /// Its text, with secrets.
    pub text: RawJson,
}

impl Stored {
    fn is(&self, target: &Target) -> bool {
        match target {
            Target::Document { value, .. } => self.text == *value,
            Target::Credential { text, .. } => self.text == *text,
        }
    }
}

async fn read(client: &Client, target: &Target) -> Result<Option<Stored>, Box<Problem>> {
    match target {
        Target::Document { name, .. } => document(client, name).await,
        Target::Credential { pool, provider, .. } => credential(client, pool, provider).await,
    }
}

/// A document with its secrets; absent where there is none.
///
/// # Errors
/// Those of the store.
pub async fn document(client: &Client, name: &Name) -> Result<Option<Stored>, Box<Problem>> {
    let read = client.documents().reveal(&name.collection, &name.key).await;
    let read = known(read, Code::DocumentNotFound)?;
    Ok(read.map(|document| Stored { version: document.revision, text: document.value }))
}

/// A credential; absent where there is none.
///
/// # Errors
/// Those of the store.
pub async fn credential(
    client: &Client,
    pool: &PoolType,
    provider: &ProviderId,
) -> Result<Option<Stored>, Box<Problem>> {
    let read = known(client.credential(pool, provider).reveal().await, Code::TokensNotFound)?;
    Ok(read.map(|credential| Stored { version: credential.version, text: credential.credential }))
}

fn boxed(error: ClientError) -> Box<Problem> {
    Box::new(error.problem())
}

fn known<T>(read: Result<T, ClientError>, absent: Code) -> Result<Option<T>, Box<Problem>> {
    match read.map_err(boxed) {
        Ok(found) => Ok(Some(found)),
        Err(problem) if problem.code == absent => Ok(None),
        Err(problem) => Err(problem),
    }
}

async fn write(client: &Client, target: &Target, expected: u64) -> Result<(), Box<Problem>> {
    let written = match target {
        Target::Document { name, value } => {
            let change = WriteDocument {
                collection: name.collection.clone(),
                key: name.key.clone(),
                op: WriteOp::Put,
                value: Some(value.clone()),
                revision: None,
                expected: Some(expected),
                ttl_ms: None,
            };
            let transaction = Transaction { changes: vec![change], dry_run: false };
            client.documents().write(&transaction, None).await.map(drop)
        }
        Target::Credential { pool, provider, text } => {
            let query = PutCredentialQuery { expected: Some(expected) };
            client.credential(pool, provider).put(text, &query).await.map(drop)
        }
    };
    written.map_err(boxed)
}
