//! What an import did, or would do.

use super::picture::{Failed, Picture, Reading};
use super::plan::{Sessions, sessions};
use serde::Serialize;

/// What an import did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// What was found.
    pub found: Found,
    /// What was not in the store.
    pub created: usize,
    /// What was there otherwise, and was replaced.
    pub replaced: usize,
    /// What was there already.
    pub unchanged: usize,
    /// What is there otherwise, and was left so.
    pub kept: Vec<Failed>,
    /// Of what was written or was there, what was read back and compared.
    pub verified: usize,
    /// Token files that providers name and that are not there.
    pub missing: Vec<Failed>,
    /// Token files that no provider names; they are kept.
    pub orphans: Vec<String>,
    /// What was left where it is.
    pub ignored: Vec<String>,
    /// What could not be taken, or not be written.
    pub failed: Vec<Failed>,
}

/// What a source holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Pools, with those that are empty.
    pub pools: usize,
    /// Providers.
    pub providers: usize,
    /// Providers with a token file that can be read.
    pub credentials: usize,
    /// Files of the folder itself, but for the pools.
    pub files: usize,
    /// Sessions of the original's own pages.
    pub sessions: Sessions,
}

impl Report {
    /// The report of what was read, before anything is written.
    pub fn of(reading: &Reading, now_ms: i64) -> Self {
        Self {
            found: Found::of(&reading.picture, now_ms),
            missing: reading.missing.clone(),
            orphans: reading.picture.orphans.keys().cloned().collect(),
            ignored: reading.ignored.clone(),
            failed: reading.failed.clone(),
            ..Self::default()
        }
    }

    /// Notes what was left as the store has it.
    pub fn keep(&mut self, origin: &str, reason: &str) {
        self.kept.push(Failed { origin: origin.to_owned(), reason: reason.to_owned() });
    }

    /// Whether all of the source is in the store, but for what is kept there and what may be missing.
    pub fn is_complete(&self, allow_missing: bool) -> bool {
        self.failed.is_empty() && (allow_missing || self.missing.is_empty())
    }
}

impl Found {
    /// Counts a picture.
    pub fn of(picture: &Picture, now_ms: i64) -> Self {
        let pools = picture.pools.iter().flatten();
        let providers = pools.clone().flat_map(|pool| &pool.providers);
        Self {
            pools: pools.count(),
            credentials: providers.clone().filter(|provider| provider.credential.is_some()).count(),
            providers: providers.count(),
            files: picture.files.len(),
            sessions: sessions(picture, now_ms),
        }
    }
}
