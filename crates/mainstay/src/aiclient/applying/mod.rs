//! Writing a plan into a store, and reading it back.

pub mod keys;
pub mod pools;
pub mod texts;

use super::picture::Failed;
use super::plan::{Item, Target};
use super::report::Report;
use crate::failure::Failure;
use mainstay_api::{Code, Problem};
use mainstay_client::{Client, ClientError};

/// How to write.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Whether what is there otherwise is replaced.
    pub force: bool,
    /// Whether only to say what would be written.
    pub dry_run: bool,
}

/// What is written where, and how.
#[derive(Clone, Copy)]
struct Writing<'a> {
    client: &'a Client,
    options: Options,
    /// Where what is written came from.
    origin: &'a str,
}

/// Writes what is not in the store as it is planned, and reads it back. What is written already is left alone, so that a
/// second run changes nothing, and one that was interrupted goes on.
///
/// # Errors
/// Where the store, or the credential, does not allow it at all; what was written until then stays.
pub async fn apply(client: &Client, items: &[Item], options: Options, report: &mut Report) -> Result<(), Failure> {
    report.dry_run = options.dry_run;
    for item in items {
        let writing = Writing { client, options, origin: &item.origin };
        let applied = match &item.target {
            Target::Text(place, text) => texts::apply(writing, (place, text), report).await,
            Target::Pool(pool) => pools::apply(writing, pool, report).await,
            Target::Keys(file) => keys::apply(writing, file, report).await,
        };
        if let Err(problem) = applied {
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
