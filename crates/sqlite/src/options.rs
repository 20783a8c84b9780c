//! What can be chosen about the store.

use mainstay_core::api::Code;
use mainstay_core::{Error, Result};
use std::path::PathBuf;

/// Where the store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file; created with its folder where it is missing.
    File(PathBuf),
    /// The memory of this process: gone when the store is closed.
    Memory,
}

/// Options of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteOptions {
    /// Where the store is.
    pub location: Location,
    /// How long a write or a read waits for others, in milliseconds, before it fails with `store.busy`.
    pub busy_timeout_ms: u64,
    /// Most connections for reads; opened when needed.
    pub readers: usize,
    /// Most writes, and most reads, that wait for their turn; beyond it they fail with `store.busy`.
    pub max_queue: usize,
    /// Most writes that share one commit.
    pub max_batch: usize,
}

impl SqliteOptions {
    /// The usual options: 5 s, 2 readers, 4,096 waiting. 128 writes a commit: beyond that a commit gains little and
    /// each write in it waits longer.
    #[must_use]
    pub fn new(location: Location) -> Self {
        Self { location, busy_timeout_ms: 5_000, readers: 2, max_queue: 4_096, max_batch: 128 }
    }

    /// The usual options for `sqlite:<path>` or `sqlite::memory:`.
    ///
    /// # Errors
    /// `settings.invalid` where the URL is neither.
    pub fn from_url(url: &str) -> Result<Self> {
        // None of these errors shows the URL: what is mistyped may be that of another store, with its password.
        let invalid = |detail: &str| {
            let help = "Write sqlite:<path>, such as sqlite:/var/lib/mainstay/mainstay.db, or sqlite::memory:.";
            Error::new(Code::SettingInvalid, detail, help)
        };
        let Some(rest) = url.strip_prefix("sqlite:") else {
            return Err(invalid("the URL does not begin with sqlite:"));
        };
        if rest == ":memory:" {
            return Ok(Self::new(Location::Memory));
        }
        let path = rest.strip_prefix("//").unwrap_or(rest);
        if path.is_empty() || path.ends_with('/') {
            return Err(invalid("the URL does not name a file"));
        }
        if is_other_store(path) {
            return Err(invalid("what follows sqlite: is the URL of another store, not a file"));
        }
        Ok(Self::new(Location::File(PathBuf::from(path))))
    }

    pub(crate) fn validate(&self) -> Result<()> {
        let in_range = self.readers > 0 && self.max_queue > 0 && self.max_batch > 0;
        if in_range {
            return Ok(());
        }
        let help = "Leave the options at their defaults, or raise them.";
        Err(Error::new(Code::SettingInvalid, "readers, max_queue and max_batch must be at least 1", help))
    }
}

/// Whether a path is rather a URL, or the beginnings of one of a Redis. As a file it would carry a password in its name.
fn is_other_store(path: &str) -> bool {
    let scheme = path.split([':', '/']).next().unwrap_or_default();
    let rest = path.get(scheme.len()..).unwrap_or_default();
    let of_redis = ["redis", "valkey"].iter().any(|store| scheme.to_ascii_lowercase().starts_with(store));
    path.contains("://") || of_redis && (rest.starts_with(':') || rest.starts_with("//"))
}

impl Location {
    /// The location as a URL.
    #[must_use]
    pub fn to_url(&self) -> String {
        match self {
            Self::File(path) => format!("sqlite:{}", path.display()),
            Self::Memory => "sqlite::memory:".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_another_store_names_no_file_and_is_not_shown() {
        for url in [
            "sqlite:redis://u:hunter2@h/0",
            "sqlite:redis://u:hunter2@h/",
            "sqlite://rediss://u:hunter2@h",
            "sqlite:redis//u:hunter2@h",
            "sqlite:Redis:u:hunter2@h",
            "sqlite:redis+sentinel//u:hunter2@h",
            "redis://u:hunter2@h",
        ] {
            let error = SqliteOptions::from_url(url).unwrap_err();
            assert_eq!(error.code(), Code::SettingInvalid, "{url}");
            assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
        }
        for url in ["sqlite:redis/a.db", "sqlite:/data/redis:/a.db", "sqlite:redis-copy.db", "sqlite:/a/b@c.db"] {
            assert!(SqliteOptions::from_url(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_url_names_a_file_or_memory_and_anything_else_is_refused() {
        let location = |url| SqliteOptions::from_url(url).map(|options| options.location);
        assert_eq!(location("sqlite::memory:").unwrap(), Location::Memory);
        for (url, path) in [("sqlite:/a/b.db", "/a/b.db"), ("sqlite:///a/b.db", "/a/b.db"), ("sqlite:b c.db", "b c.db")]
        {
            assert_eq!(location(url).unwrap(), Location::File(path.into()), "{url}");
        }
        for url in ["redis://x", "sqlite:", "sqlite:///", "sqlite:/a/"] {
            assert_eq!(location(url).unwrap_err().code(), Code::SettingInvalid, "{url}");
        }
    }
}
