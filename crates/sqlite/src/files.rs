//! The files of a store: private to the user.

use crate::errors::io;
use mainstay_core::api::Code;
use mainstay_core::{Error, Result};
use std::fs::{DirBuilder, File, OpenOptions};
use std::path::{Path, PathBuf};

/// A file beside the database: `<db><suffix>`.
pub(crate) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Opens a file for reading and writing; one that is missing is made, readable for this user alone.
pub(crate) fn open_private(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(io(format!("{} cannot be opened for writing", path.display())))
}

/// Makes the database file and its folder where they are missing, so that SQLite finds a file with the right mode
/// and gives the same to those that it makes beside it.
pub(crate) fn ensure_database(path: &Path) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(io(format!("the folder {} cannot be made", folder.display())))?;
    }
    open_private(path).map(drop)
}

/// Which file a path names, so that it is noticed when it names another one or none: what is written to a file that
/// was removed is gone with the process.
#[derive(Debug)]
pub(crate) struct Anchor {
    path: PathBuf,
    identity: Option<(u64, u64)>,
}

impl Anchor {
    /// Remembers the file that the path names now.
    pub(crate) fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), identity: identity(path) }
    }

    /// Fails with `store.unavailable` where the path has come to name another file, or none.
    pub(crate) fn check(&self) -> Result<()> {
        if self.identity.is_none() || identity(&self.path) == self.identity {
            return Ok(());
        }
        Err(Error::new(
            Code::StoreUnavailable,
            format!("{}: the database file was removed or replaced while it was in use", self.path.display()),
            "Put the file back if it was moved; then start this process again. Nothing was written.",
        ))
    }
}

/// What tells a file from every other, where the system says it. Elsewhere a file in use cannot be removed.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn identity(_path: &Path) -> Option<(u64, u64)> {
    None
}
