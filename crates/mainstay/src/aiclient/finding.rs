//! Finding the token files of providers, and those of nobody.

use super::paths::{Places, shown};
use super::picture::{Failed, Provider, Reading};
use super::pools::token_paths;
use super::text::{parse, read_text};
use super::writing::Places as Exported;
use mainstay_api::RawJson;
use mainstay_api::providers::PoolType;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How deep token files lie in the folder: `kiro/<time>_kiro-auth-token/<file>`, and one more.
const MAX_FOLDERS: usize = 4;
/// Most token files that are read.
const MAX_FILES: usize = 100_000;

/// Gives each provider the token file that it names.
pub fn link(places: &Places, exported: &Exported, reading: &mut Reading) -> BTreeSet<PathBuf> {
    let mut linked = BTreeSet::new();
    let mut pools = reading.picture.pools.take();
    for pool in pools.iter_mut().flatten() {
        pool.settings = exported.settings_of(&pool.kind).cloned();
        for provider in &mut pool.providers {
            if let Some(path) = find(places, exported, (&pool.kind, provider), reading) {
                read_credential(&path, (&pool.kind, provider), reading);
                linked.insert(path.canonicalize().unwrap_or(path));
            }
        }
    }
    reading.picture.pools = pools;
    linked
}

/// The file of a provider: that which an export says, else the first that one of its paths leads to.
fn find(
    places: &Places,
    exported: &Exported,
    (pool, provider): (&PoolType, &Provider),
    reading: &mut Reading,
) -> Option<PathBuf> {
    if let Some(file) = exported.of(pool, &provider.id) {
        return Some(places.folder.join(file));
    }
    let written = token_paths(&provider.body);
    let first = written.first()?;
    let found = written.iter().find_map(|path| places.find(path));
    if found.is_none() {
        let tried: Vec<String> = places.candidates(first).iter().map(|place| shown(place)).collect();
        let reason = format!("the token file {first:?} is not there; looked at {}", tried.join(", "));
        reading.missing.push(Failed { origin: format!("{pool}/{}", provider.id), reason });
    }
    found.and_then(|place| match place.is_dir() {
        false => Some(place),
        true => {
            let only = only_file_of(&place);
            if only.is_none() {
                let reason = format!("the folder {} does not hold exactly one token file", shown(&place));
                reading.fail(format!("{pool}/{}", provider.id), reason);
            }
            only
        }
    })
}

/// The token file of a folder of Kiro: the one that is called so, or the only one.
fn only_file_of(folder: &Path) -> Option<PathBuf> {
    let mut files = json_files(folder);
    if files.len() > 1 {
        files.retain(|file| shown(file).ends_with("kiro-auth-token.json"));
    }
    (files.len() == 1).then(|| files.remove(0))
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().take(MAX_FILES);
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| is_json(path)).collect();
    files.sort();
    files
}

/// Whether a file is JSON by its name. What begins with a dot is somebody's unfinished file.
pub fn is_json(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.ends_with(".json") && !name.starts_with('.') && path.is_file()
}

fn read_credential(path: &Path, (pool, provider): (&PoolType, &mut Provider), reading: &mut Reading) {
    match read_text(path).and_then(|text| parse(&text)).and_then(object) {
        Ok(text) => provider.credential = Some(text),
        Err(reason) => reading.fail(shown(path), format!("{reason}; it is the token file of {pool}/{}", provider.id)),
    }
}

fn object(text: RawJson) -> Result<RawJson, String> {
    if text.is_object() { Ok(text) } else { Err("it is no object".into()) }
}

/// Reads the token files below the folder that no provider names.
pub fn orphans(folder: &Path, linked: &BTreeSet<PathBuf>, reading: &mut Reading) {
    let mut waiting = vec![(folder.to_path_buf(), 0)];
    let mut count = 0;
    while let Some((at, depth)) = waiting.pop() {
        let entries = std::fs::read_dir(&at).into_iter().flatten().flatten();
        for entry in entries {
            let path = entry.path();
            // A link to a folder may lead in a circle; it is not followed.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if depth < MAX_FOLDERS {
                    waiting.push((path, depth + 1));
                } else {
                    reading.fail(within(folder, &path), "it lies too deep in the folder");
                }
            } else if depth > 0 {
                count += 1;
                if count > MAX_FILES {
                    reading.fail(shown(folder), format!("it holds more than {MAX_FILES} token files"));
                    return;
                }
                orphan(folder, &path, linked, reading);
            }
        }
    }
    reading.ignored.sort();
}

fn orphan(folder: &Path, path: &Path, linked: &BTreeSet<PathBuf>, reading: &mut Reading) {
    let origin = within(folder, path);
    if !is_json(path) {
        reading.ignored.push(origin);
    } else if !linked.contains(&path.canonicalize().unwrap_or_else(|_| path.to_path_buf())) {
        match read_text(path).and_then(|text| parse(&text)) {
            Ok(text) => drop(reading.picture.orphans.insert(origin, text)),
            Err(reason) => reading.fail(origin, reason),
        }
    }
}

fn within(folder: &Path, path: &Path) -> String {
    shown(path.strip_prefix(folder).unwrap_or(path))
}
