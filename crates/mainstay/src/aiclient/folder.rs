//! Reading the folder of the original.

use super::finding::{is_json, link, orphans};
use super::paths::{Places, shown};
use super::picture::{Content, OWN_FILES, POOLS_FILE, Reading};
use super::pools;
use super::text::{parse, read_text};
use super::writing::{self, PLACES_FILE};
use std::path::Path;

/// Files that are no JSON, beside those that end with `.txt`.
const TEXTS: &[&str] = &[super::picture::PASSWORD_FILE];

/// Reads a folder. Whatever cannot be read is noted, and does not keep the rest from being read.
///
/// # Errors
/// Where the folder itself cannot be read, or is none of the original.
pub fn read(places: &Places) -> std::io::Result<Reading> {
    let mut reading = Reading::default();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&places.folder)? {
        let path = entry?.path();
        if path.is_file() {
            names.push(path);
        }
    }
    names.sort();
    for path in &names {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name != PLACES_FILE {
            read_file(path, name, &mut reading);
        }
    }
    let exported = match writing::Places::read(&places.folder) {
        Ok(exported) => exported,
        Err(reason) => {
            reading.fail(PLACES_FILE, reason);
            writing::Places::default()
        }
    };
    let linked = link(places, &exported, &mut reading);
    let is_token = |name: &str| {
        let file = places.folder.join(name);
        !OWN_FILES.contains(&name) && linked.contains(&file.canonicalize().unwrap_or(file))
    };
    reading.picture.files.retain(|name, _| !is_token(name));
    orphans(&places.folder, &linked, &mut reading);
    let picture = &reading.picture;
    let is_empty = picture.files.is_empty() && picture.pools.is_none() && picture.orphans.is_empty();
    if is_empty && reading.failed.is_empty() {
        return Err(std::io::Error::other("it holds none of the files of the original, such as config.json"));
    }
    Ok(reading)
}

fn read_file(path: &Path, name: String, reading: &mut Reading) {
    let read = read_text(path);
    if TEXTS.contains(&name.as_str()) || name.ends_with(".txt") {
        match read {
            Ok(text) => drop(reading.picture.files.insert(name, Content::Text(text))),
            Err(reason) => reading.fail(name, reason),
        }
    } else if !is_json(path) {
        reading.ignored.push(shown(Path::new(&name)));
    } else {
        match read.and_then(|text| parse(&text)) {
            Err(reason) => reading.fail(name, reason),
            Ok(json) if name == POOLS_FILE => {
                let pools = pools::parse(&json, reading);
                reading.picture.pools = Some(pools);
            }
            Ok(json) => drop(reading.picture.files.insert(name, Content::Json(json))),
        }
    }
}
