//! The key ring that secrets in the store are sealed with: found, or made at its first need.

use crate::failure::{Failure, Result};
use crate::settings::Settings;
use crate::{owner_key, private_file};
use mainstay_api::Code;
use mainstay_core::secrets::KeyRing;
use secrecy::ExposeSecret;
use std::path::{Path, PathBuf};

/// The name of the file in the data folder.
const FILE_NAME: &str = "keyring";
/// Longest ring read from a file, in bytes.
const MAX_RING_BYTES: u64 = 64 * 1_024;

/// Where the ring is kept, where it is not set.
#[must_use]
pub fn path(settings: &Settings) -> PathBuf {
    settings.data_dir.join(FILE_NAME)
}

/// The ring that was set, else the one in the data folder, where there is one.
///
/// # Errors
/// `settings.invalid`: it is no ring, or cannot be read.
pub fn find(settings: &Settings) -> Result<Option<KeyRing>> {
    if let Some(text) = &settings.keyring {
        return Ok(Some(KeyRing::parse(text.expose_secret())?));
    }
    let path = path(settings);
    match private_file::read(&path, MAX_RING_BYTES).map_err(|cause| cannot("read", &path, &cause))? {
        Some(text) => Ok(Some(KeyRing::parse(&text)?)),
        None => Ok(None),
    }
}

/// The ring that was set, else the one in the data folder, made now where there is none.
///
/// # Errors
/// `settings.invalid`: it is no ring, or cannot be read or written.
pub fn find_or_make(settings: &Settings) -> Result<KeyRing> {
    if let Some(ring) = find(settings)? {
        return Ok(ring);
    }
    owner_key::create_private_dir(&settings.data_dir)?;
    let path = path(settings);
    let made = KeyRing::generate()?;
    private_file::create(&path, &made.to_text()).map_err(|cause| cannot("written", &path, &cause))?;
    tracing::info!(path = %path.display(), "key ring made; keep a copy of it apart from the store");
    // Another process may have been first: what is in the file now is the ring.
    find(settings)?.ok_or_else(|| cannot("read", &path, &std::io::ErrorKind::NotFound.into()))
}

/// Replaces the ring in the data folder.
///
/// # Errors
/// `settings.invalid`: the ring is set elsewhere, where this program cannot change it, or cannot be written.
pub fn replace(settings: &Settings, ring: &KeyRing) -> Result {
    let path = path(settings);
    if settings.keyring.is_some() {
        return Err(Failure::new(
            Code::SettingInvalid,
            "the key ring is set by MAINSTAY_KEYRING, where this command cannot change it",
            "Run the command with the ring as the file `keyring` of a data folder, without MAINSTAY_KEYRING; then put \
             the file in its place.",
        ));
    }
    private_file::replace(&path, &ring.to_text()).map_err(|cause| cannot("written", &path, &cause))
}

fn cannot(what: &str, path: &Path, cause: &std::io::Error) -> Failure {
    let detail = format!("{} cannot be {what}: {cause}", path.display());
    Failure::new(Code::SettingInvalid, detail, "Check the permissions, or set MAINSTAY_KEYRING or MAINSTAY_DATA_DIR.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Surroundings;

    fn settings(dir: &Path) -> Settings {
        Settings::resolve(Surroundings { data_dir: Some(dir.join("data")), ..Surroundings::default() }).unwrap()
    }

    #[test]
    fn a_ring_is_made_once_for_its_owner_alone_and_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings(dir.path());
        assert!(find(&settings).unwrap().is_none());
        let ring = find_or_make(&settings).unwrap();
        assert_eq!(find_or_make(&settings).unwrap().to_text(), ring.to_text());
        let rotated = ring.rotated().unwrap();
        replace(&settings, &rotated).unwrap();
        assert_eq!(find(&settings).unwrap().unwrap().to_text(), rotated.to_text());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(path(&settings)).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(std::fs::read_dir(&settings.data_dir).unwrap().count(), 1, "no draft is left behind");
    }

    #[test]
    fn a_ring_that_is_set_elsewhere_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let ring = KeyRing::generate().unwrap();
        let settings = Settings { keyring: Some(ring.to_text().into()), ..settings(dir.path()) };
        assert_eq!(find_or_make(&settings).unwrap().to_text(), ring.to_text());
        assert!(replace(&settings, &ring.rotated().unwrap()).is_err());
        assert!(!path(&settings).exists());
    }
}
