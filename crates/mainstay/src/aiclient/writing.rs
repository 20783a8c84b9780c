//! Writing a folder of the original.

use super::paths::{self, inside};
use super::picture::{Failed, OWN_FILES, POOLS_FILE, Picture, Pool};
use super::pools::{self, token_paths};
use super::text::{parse, read_text};
use crate::private_file;
use mainstay_api::RawJson;
use mainstay_api::providers::{PoolType, ProviderId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Says what the files of the original have no place for: where token files are whose paths do not lead to them, which are those
/// outside of the folder and those without a path; and the settings of pools themselves.
pub const PLACES_FILE: &str = "mainstay-export.json";

/// Where an export has put token files that their paths do not lead to, and what it says of pools.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// By pool and provider: the path within the folder.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    credentials: BTreeMap<String, BTreeMap<String, String>>,
    /// The settings of pools, by pool.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pools: BTreeMap<String, RawJson>,
}

impl Places {
    /// What an export says; nothing where the folder is none of an export.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let path = folder.join(PLACES_FILE);
        if !path.exists() {
            return Ok(Self::default());
        }
        let places: Self = parse(&read_text(&path)?)?.read().map_err(|_| "it is none of an export")?;
        let mut files = places.credentials.values().flat_map(BTreeMap::values);
        if files.any(|file| inside(file).as_deref() != Some(file)) {
            return Err("it names a file outside of the folder".into());
        }
        Ok(places)
    }

    /// The settings of a pool itself.
    pub fn settings_of(&self, pool: &PoolType) -> Option<&RawJson> {
        self.pools.get(pool.as_str())
    }

    /// The file of a provider.
    pub fn of(&self, pool: &PoolType, provider: &ProviderId) -> Option<&str> {
        self.credentials.get(pool.as_str())?.get(provider.as_str()).map(String::as_str)
    }
}

/// What becomes of the files of a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Written {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Files that were not there.
    pub created: usize,
    /// Files that were there with other content, and were replaced.
    pub replaced: usize,
    /// Files that were there with this content.
    pub unchanged: usize,
    /// Files that could not be written, or are there with other content.
    pub failed: Vec<Failed>,
}

/// How to write.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Whether files with other content are replaced.
    pub force: bool,
    /// Whether only to say what would be written.
    pub dry_run: bool,
}

/// Writes a folder that is read again as the same picture.
///
/// # Errors
/// Where the folder cannot be made.
pub fn write(picture: &Picture, places: &paths::Places, options: Options) -> std::io::Result<Written> {
    let layout = Layout::of(picture);
    if !options.dry_run {
        std::fs::create_dir_all(&places.folder)?;
    }
    let mut written = Written { dry_run: options.dry_run, ..Written::default() };
    for (name, text) in &layout.files {
        put(&places.folder, name, text, options, &mut written);
    }
    // Which paths lead to their files is known when the files are there.
    let mut moved = if options.dry_run { Places::default() } else { layout.moved(places) };
    let settings = |pool: &Pool| Some((pool.kind.to_string(), pool.settings.clone()?));
    moved.pools = picture.pools.iter().flatten().filter_map(settings).collect();
    if moved != Places::default() {
        let text = serde_json::to_string_pretty(&moved)?;
        put(&places.folder, PLACES_FILE, &text, Options { force: true, ..options }, &mut written);
    }
    Ok(written)
}

fn put(folder: &Path, name: &str, text: &str, options: Options, written: &mut Written) {
    let path = folder.join(name);
    let before = std::fs::read(&path).ok();
    if before.as_deref() == Some(text.as_bytes()) {
        written.unchanged += 1;
        return;
    }
    let stands = std::fs::symlink_metadata(&path).is_ok();
    if stands && !options.force {
        let reason = "it is there with other content; --force replaces it".into();
        written.failed.push(Failed { origin: name.to_owned(), reason });
        return;
    }
    let result = match (options.dry_run, path.parent()) {
        (true, _) | (_, None) => Ok(()),
        (false, Some(parent)) => std::fs::create_dir_all(parent).and_then(|()| private_file::replace(&path, text)),
    };
    match result {
        Err(error) => written.failed.push(Failed { origin: name.to_owned(), reason: error.to_string() }),
        Ok(()) if stands => written.replaced += 1,
        Ok(()) => written.created += 1,
    }
}

/// The files of a picture, by their path within the folder.
struct Layout<'a> {
    files: BTreeMap<String, String>,
    /// Those that no credential may have: they would be read as what they are as well.
    taken: BTreeSet<String>,
    /// The files of providers: pool, provider, its paths, and the file.
    credentials: Vec<(&'a PoolType, &'a ProviderId, Vec<String>, String)>,
}

impl<'a> Layout<'a> {
    fn of(picture: &'a Picture) -> Self {
        let mut files: BTreeMap<String, String> = BTreeMap::new();
        files.extend(picture.files.iter().map(|(name, content)| (name.clone(), content.as_str().to_owned())));
        files.extend(picture.pools.as_ref().map(|all| (POOLS_FILE.to_owned(), pools::write(all))));
        files.extend(picture.orphans.iter().map(|(name, text)| (name.clone(), text.as_str().to_owned())));
        let taken = files.keys().cloned().collect();
        let mut layout = Self { files, taken, credentials: Vec::new() };
        for pool in picture.pools.iter().flatten() {
            for provider in &pool.providers {
                if let Some(text) = &provider.credential {
                    layout.place(&pool.kind, &provider.id, &provider.body, text);
                }
            }
        }
        layout
    }

    /// Gives a credential the file that its path names, where that is within the folder and not another's.
    fn place(&mut self, pool: &'a PoolType, provider: &'a ProviderId, body: &RawJson, text: &RawJson) {
        let paths = token_paths(body);
        let named = paths.iter().find_map(|path| inside(path)).filter(|name| {
            let is_free = self.files.get(name).is_none_or(|held| held == text.as_str());
            is_free && !self.taken.contains(name) && name.ends_with(".json") && !OWN_FILES.contains(&name.as_str())
        });
        let name = named.unwrap_or_else(|| format!("credentials/{pool}/{provider}.json"));
        self.files.insert(name.clone(), text.as_str().to_owned());
        self.credentials.push((pool, provider, paths, name));
    }

    /// The files that their paths do not lead to.
    fn moved(&self, places: &paths::Places) -> Places {
        let mut moved = Places::default();
        for (pool, provider, written, name) in &self.credentials {
            let file = places.folder.join(name);
            let found = written.iter().find_map(|path| places.find(path));
            let leads_there = match (found.and_then(|path| path.canonicalize().ok()), file.canonicalize()) {
                (Some(found), Ok(file)) => found == file,
                _ => false,
            };
            if !leads_there {
                let of_pool = moved.credentials.entry(pool.to_string()).or_default();
                of_pool.insert(provider.to_string(), name.clone());
            }
        }
        moved
    }
}
