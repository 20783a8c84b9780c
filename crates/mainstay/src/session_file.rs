//! The session that `mainstay login` began, kept for later commands: one for each server, or store.

use crate::failure::{Failure, Result};
use crate::settings::Settings;
use crate::{owner_key, private_file};
use mainstay_api::Code;
use mainstay_core::text::sha256_hex;
use std::path::{Path, PathBuf};

/// The folder in the data folder.
const FOLDER: &str = "sessions";
/// Digits of the name of a file.
const NAME_DIGITS: usize = 32;
/// Longest token read from a file, in bytes.
const MAX_TOKEN_BYTES: u64 = 1_024;

/// Where the token of a session at the server, or the store, of the settings is kept. The name tells neither.
fn path(settings: &Settings) -> PathBuf {
    let place = settings.url.as_ref().map_or(settings.store.text.as_str(), |url| url.trim_end_matches('/'));
    settings.data_dir.join(FOLDER).join(&sha256_hex(place.as_bytes())[..NAME_DIGITS])
}

/// The token, where somebody has logged in.
///
/// # Errors
/// The file cannot be read.
pub fn find(settings: &Settings) -> Result<Option<String>> {
    let path = path(settings);
    let text = private_file::read(&path, MAX_TOKEN_BYTES).map_err(|cause| cannot("read", &path, &cause))?;
    Ok(text.map(|text| text.trim().to_owned()).filter(|token| !token.is_empty()))
}

/// Keeps a token, instead of the one before.
///
/// # Errors
/// The file cannot be written.
pub fn keep(settings: &Settings, token: &str) -> Result {
    let path = path(settings);
    owner_key::create_private_dir(&settings.data_dir.join(FOLDER))?;
    private_file::replace(&path, &format!("{token}\n")).map_err(|cause| cannot("written", &path, &cause))
}

/// Forgets the token. Returns whether there was one.
///
/// # Errors
/// The file cannot be removed.
pub fn forget(settings: &Settings) -> Result<bool> {
    let path = path(settings);
    match std::fs::remove_file(&path) {
        Ok(()) => Ok(true),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(cannot("removed", &path, &cause)),
    }
}

fn cannot(what: &str, path: &Path, cause: &std::io::Error) -> Failure {
    let detail = format!("{} cannot be {what}: {cause}", path.display());
    Failure::new(Code::SettingInvalid, detail, "Check the permissions, or set MAINSTAY_TOKEN or MAINSTAY_DATA_DIR.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Surroundings;

    #[test]
    fn a_session_is_kept_for_its_own_server_alone() {
        let dir = tempfile::tempdir().unwrap();
        let surroundings = Surroundings { data_dir: Some(dir.path().join("data")), ..Surroundings::default() };
        let here = Settings::resolve(surroundings).unwrap();
        let there = Settings { url: Some("https://team.example".into()), ..here.clone() };
        keep(&there, "ms_1").unwrap();
        assert_eq!(find(&there).unwrap().as_deref(), Some("ms_1"));
        assert_eq!(find(&here).unwrap(), None);
        assert!(forget(&there).unwrap());
        assert!(!forget(&there).unwrap());
    }
}
