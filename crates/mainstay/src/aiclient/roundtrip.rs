//! What is read is written so that it is read again as the same.

use super::paths::Places;
use super::picture::{Picture, Reading};
use super::writing::{Options, PLACES_FILE, write};
use super::{folder, picture};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn places(folder: &Path) -> Places {
    Places { folder: folder.to_path_buf(), home: folder.parent().map(|parent| parent.join("home")) }
}

fn read(folder: &Path) -> Reading {
    folder::read(&places(folder)).unwrap()
}

fn rewritten(picture: &Picture, folder: &Path) -> Picture {
    let written = write(picture, &places(folder), Options::default()).unwrap();
    assert_eq!(written.failed, []);
    let again = read(folder);
    assert_eq!(again.failed, []);
    again.picture
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/legacy-configs")
}

/// All files of a folder, by their path within it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(at) = waiting.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn the_sample_of_the_original_is_read_whole() {
    let reading = read(&sample());
    let pools = reading.picture.pools.as_ref().unwrap();
    let providers: Vec<_> = pools.iter().flat_map(|pool| &pool.providers).collect();
    assert_eq!((pools.len(), providers.len()), (11, 16));
    assert_eq!(providers.iter().filter(|provider| provider.credential.is_some()).count(), 10);
    assert_eq!(reading.missing.len(), 1);
    assert!(reading.missing[0].reason.contains("1769176049999"), "{:?}", reading.missing);
    let orphans: Vec<_> = reading.picture.orphans.keys().map(String::as_str).collect();
    let kiro = "kiro/1769176045112_kiro-auth-token/1769176045112_kiro-auth-token.json";
    assert_eq!(orphans, [kiro, "qwen/1769176045015_oauth_creds.json"]);
    assert_eq!((reading.failed, reading.ignored), (vec![], vec![]));
}

#[test]
fn the_sample_is_written_as_the_same_files_byte_for_byte() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("configs");
    let picture = read(&sample()).picture;
    assert_eq!(rewritten(&picture, &folder), picture);
    let mut written = files(&folder);
    assert_eq!(written.remove(Path::new(PLACES_FILE)), None);
    let before = files(&sample());
    assert_eq!(written.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    for (name, text) in &before {
        assert_eq!(String::from_utf8_lossy(&written[name]), String::from_utf8_lossy(text), "{}", name.display());
    }
}

#[test]
fn token_files_outside_of_the_folder_come_along_and_are_found_again() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("here/configs");
    std::fs::create_dir_all(home.path().join("here/home/.qwen")).unwrap();
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(home.path().join("here/home/.qwen/oauth_creds.json"), "{\"access_token\":\"a\"}").unwrap();
    let pools = r#"{"q":[{"uuid":"1","QWEN_OAUTH_CREDS_FILE_PATH":"~/.qwen/oauth_creds.json"}]}"#;
    std::fs::write(folder.join(picture::POOLS_FILE), pools).unwrap();
    let picture = read(&folder).picture;
    let provider = &picture.pools.as_ref().unwrap()[0].providers[0];
    assert_eq!(provider.credential.as_ref().unwrap().as_str(), "{\"access_token\":\"a\"}");

    let elsewhere = home.path().join("there/configs");
    assert_eq!(rewritten(&picture, &elsewhere), picture);
    assert!(elsewhere.join("credentials/q/1.json").exists() && elsewhere.join(PLACES_FILE).exists());
}

#[test]
fn broken_files_are_told_with_their_place_and_nothing_else_is_lost() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("configs");
    write(&read(&sample()).picture, &places(&folder), Options::default()).unwrap();
    std::fs::write(folder.join("plugins.json"), "{\n  \"plugins\": {,}\n}").unwrap();
    std::fs::write(folder.join("iflow/1769176045006_oauth_creds.json"), "{\"access_token\": \"hunter2").unwrap();
    std::fs::write(folder.join("input_system_prompt.txt"), [b'a', 0xff]).unwrap();
    let reading = read(&folder);
    let told: Vec<_> = reading.failed.iter().map(|failed| format!("{}: {}", failed.origin, failed.reason)).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told.iter().any(|line| line == "plugins.json: it is not valid JSON, at line 2, column 15"), "{told:?}");
    assert!(told.iter().any(|line| line.contains("iflow") && line.contains("line 1")), "{told:?}");
    assert!(told.iter().all(|line| !line.contains("hunter2")), "{told:?}");
    let providers = reading.picture.pools.iter().flatten().flat_map(|pool| &pool.providers);
    assert_eq!(providers.filter(|provider| provider.credential.is_some()).count(), 9);
    assert_eq!(reading.picture.files.len(), 6);
}

#[test]
fn what_is_there_with_other_content_is_replaced_by_force_alone() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("configs");
    let picture = read(&sample()).picture;
    let options = Options { dry_run: true, ..Options::default() };
    let planned = write(&picture, &places(&folder), options).unwrap();
    assert!(!folder.exists(), "a dry run wrote");
    let first = write(&picture, &places(&folder), Options::default()).unwrap();
    assert_eq!((first.created, planned.created), (21, 21));
    std::fs::write(folder.join("pwd"), "other").unwrap();
    let second = write(&picture, &places(&folder), Options::default()).unwrap();
    assert_eq!((second.unchanged, second.failed.len(), second.failed[0].origin.as_str()), (20, 1, "pwd"));
    let third = write(&picture, &places(&folder), Options { force: true, dry_run: false }).unwrap();
    assert_eq!((third.unchanged, third.replaced, third.failed.len()), (20, 1, 0));
}
