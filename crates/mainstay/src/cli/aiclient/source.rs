//! Where settings of the original are read from.

use crate::aiclient::folder;
use crate::aiclient::paths::Places;
use crate::aiclient::picture::Reading;
use crate::aiclient::redis;
use crate::cli::context::Context;
use crate::coordination::source::Place;
use crate::failure::{Failure, Result};
use crate::wiring;
use mainstay_api::Code;
use std::path::Path;

/// A source of the original: a folder, or its Redis with what its keys begin with.
#[derive(Debug)]
pub struct Source<'a> {
    /// What a person wrote.
    pub text: &'a str,
    /// What keys begin with.
    pub key_prefix: &'a str,
}

impl Source<'_> {
    /// Reads all of it.
    ///
    /// # Errors
    /// `import.source_unreadable`, `settings.invalid`; those of the store that it is.
    pub async fn read(&self, context: &Context<'_>) -> Result<Reading> {
        match Place::parse(self.text)? {
            Place::Folder(path) => read_folder(&path),
            Place::LegacyRedis(url) | Place::Store(Some(url)) if !url.starts_with("sqlite") => {
                let keys = wiring::read_legacy_keys(&context.settings, &url, self.key_prefix).await?;
                if keys.is_empty() {
                    let detail = format!("no key begins with {:?} in {}", self.key_prefix, wiring::location(&url));
                    return Err(unreadable(detail));
                }
                Ok(redis::read(keys))
            }
            _ => Err(unreadable("the original kept its settings in a folder or in Redis".into())),
        }
    }

    /// The source without a password.
    ///
    /// # Errors
    /// Like [`Self::read`].
    pub fn shown(&self) -> Result<String> {
        Ok(Place::parse(self.text)?.to_string())
    }
}

fn read_folder(path: &Path) -> Result<Reading> {
    let read = path.canonicalize().and_then(|folder| folder::read(&places(&folder)));
    read.map_err(|error| unreadable(format!("the folder {} cannot be read: {error}", path.display())))
}

/// From where paths of token files are followed.
pub fn places(folder: &Path) -> Places {
    Places { folder: folder.to_path_buf(), home: etcetera::home_dir().ok() }
}

fn unreadable(detail: String) -> Failure {
    let help =
        "Name the folder of config.json and provider_pools.json, such as ./configs, or the Redis of the original.";
    Failure::new(Code::ImportSource, detail, help)
}
