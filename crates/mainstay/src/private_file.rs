//! Files that only their owner may read.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// Puts a text in its place whole or not at all, and never over another one.
///
/// # Errors
/// It cannot be written. That something was there already is none.
pub fn create(path: &Path, text: &str) -> std::io::Result<()> {
    match create_new(path, text) {
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => Ok(()),
        outcome => outcome,
    }
}

/// Puts a text in its place whole or not at all, where nothing is.
///
/// # Errors
/// It cannot be written; [`ErrorKind::AlreadyExists`] where something was there already.
pub fn create_new(path: &Path, text: &str) -> std::io::Result<()> {
    let draft = write_draft(path, text)?;
    let linked = std::fs::hard_link(&draft, path);
    let _ = std::fs::remove_file(&draft);
    linked
}

/// Puts a text in its place whole or not at all, instead of what was there.
///
/// # Errors
/// It cannot be written; what was there stays.
pub fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let draft = write_draft(path, text)?;
    std::fs::rename(&draft, path).inspect_err(|_| drop(std::fs::remove_file(&draft)))
}

/// The text of a file, up to a bound in bytes; `None` where there is no file.
///
/// # Errors
/// It cannot be read.
pub fn read(path: &Path, limit_bytes: u64) -> std::io::Result<Option<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(cause),
    };
    warn_if_others_can_read(&file, path);
    let mut text = String::new();
    file.take(limit_bytes).read_to_string(&mut text)?;
    Ok(Some(text))
}

fn write_draft(path: &Path, text: &str) -> std::io::Result<PathBuf> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let draft = path.with_file_name(name);
    let _ = std::fs::remove_file(&draft);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&draft).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map(|()| draft.clone()).inspect_err(|_| drop(std::fs::remove_file(&draft)))
}

fn warn_if_others_can_read(file: &File, path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let open = file.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0);
        if open {
            tracing::warn!(path = %path.display(), "other users can read this secret; run chmod 600 on it");
        }
    }
    #[cfg(not(unix))]
    let _ = (file, path);
}
