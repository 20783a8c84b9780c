//! The owner key: found, or made at the first start.

use crate::failure::{Failure, Result};
use crate::private_file;
use crate::settings::Settings;
use mainstay_api::{Code, Problem};
use mainstay_core::text::hex;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The name of the file in the data folder.
const FILE_NAME: &str = "owner.key";
/// What a key begins with, so that scanners for leaked secrets can tell one.
const PREFIX: &str = "mainstay_owner_";
/// Random bytes of a key.
const KEY_BYTES: usize = 32;
/// Longest key read from a file, in bytes.
const MAX_KEY_BYTES: u64 = 1_024;

/// A new key.
///
/// # Errors
/// The operating system has no random numbers.
pub fn generate() -> Result<String> {
    let mut random = [0_u8; KEY_BYTES];
    getrandom::fill(&mut random).map_err(|cause| Failure::io("no random numbers", &std::io::Error::other(cause)))?;
    Ok(format!("{PREFIX}{}", hex(&random)))
}

/// Where the key is kept.
#[must_use]
pub fn path(settings: &Settings) -> PathBuf {
    settings.data_dir.join(FILE_NAME)
}

/// The key that was set, else the one in the data folder, where there is one.
///
/// # Errors
/// The file cannot be read, or holds no key.
pub fn find(settings: &Settings) -> Result<Option<String>> {
    if let Some(key) = &settings.owner_key {
        return Ok(Some(key.clone()));
    }
    read(&path(settings))
}

/// The key that was set, else the one in the data folder, made now where there is none.
///
/// # Errors
/// The file cannot be read or written.
pub fn find_or_make(settings: &Settings) -> Result<String> {
    if let Some(key) = find(settings)? {
        return Ok(key);
    }
    create_private_dir(&settings.data_dir)?;
    let path = path(settings);
    let key = generate()?;
    publish(&path, &key).map_err(|cause| cannot("written", &path, &cause))?;
    // Another process may have been first: what is in the file now is the key.
    read(&path)?.ok_or_else(|| cannot("read", &path, &ErrorKind::NotFound.into()))
}

/// Creates a folder that only its owner may enter.
///
/// # Errors
/// It cannot be created.
pub fn create_private_dir(dir: &Path) -> Result {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|cause| cannot("created", dir, &cause))
}

/// Puts a key in its place whole or not at all, and never over another one.
///
/// # Errors
/// The file cannot be written.
pub fn publish(path: &Path, key: &str) -> std::io::Result<()> {
    private_file::create(path, &format!("{key}\n"))
}

fn read(path: &Path) -> Result<Option<String>> {
    let text = private_file::read(path, MAX_KEY_BYTES).map_err(|cause| cannot("read", path, &cause))?;
    match text.as_deref().map(str::trim) {
        None => Ok(None),
        Some("") => Err(cannot("used", path, &std::io::Error::other("it is empty"))),
        Some(key) => Ok(Some(key.to_owned())),
    }
}

fn cannot(what: &str, path: &Path, cause: &std::io::Error) -> Failure {
    let detail = format!("{} cannot be {what}: {cause}", path.display());
    let help = "Check the permissions, or set MAINSTAY_OWNER_KEY or MAINSTAY_DATA_DIR.";
    Problem::new(Code::SettingInvalid, detail, help).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Surroundings;

    fn settings(dir: &Path) -> Settings {
        Settings::resolve(Surroundings { data_dir: Some(dir.join("data")), ..Surroundings::default() }).unwrap()
    }

    #[test]
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings(dir.path());
        assert_eq!(find(&settings).unwrap(), None);
        let key = find_or_make(&settings).unwrap();
        assert!(key.len() >= PREFIX.len() + 2 * KEY_BYTES, "{key}");
        assert_eq!(find_or_make(&settings).unwrap(), key);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&path(&settings)), 0o600);
            assert_eq!(mode(&settings.data_dir), 0o700);
        }
        assert_eq!(std::fs::read_dir(&settings.data_dir).unwrap().count(), 1, "no draft is left behind");
    }

    #[test]
    fn processes_that_start_together_agree_on_one_key() {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings(dir.path());
        create_private_dir(&settings.data_dir).unwrap();
        publish(&path(&settings), "first").unwrap();
        publish(&path(&settings), "second").unwrap();
        assert_eq!(find_or_make(&settings).unwrap(), "first");
    }

    #[test]
    fn an_empty_key_file_is_an_error_and_not_an_empty_key() {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings(dir.path());
        create_private_dir(&settings.data_dir).unwrap();
        std::fs::write(path(&settings), "\n").unwrap();
        assert!(find(&settings).is_err());
    }
}
