//! The files of a store: private to the user.

use crate::errors::io;
use mainstay_core::Result;
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
