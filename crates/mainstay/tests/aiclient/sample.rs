//! The sample of the original goes in and comes out as it was.

use crate::site::{Ran, Site, files};
use serde_json::json;

fn assert_found(ran: &Ran) {
    let report = ran.json();
    let sessions = json!({"live": 1, "expired": 1});
    let found = json!({"pools": 11, "providers": 16, "credentials": 10, "files": 8, "sessions": sessions});
    assert_eq!(report["found"], found, "{report}");
    assert_eq!(report["missing"].as_array().unwrap().len(), 1);
    assert!(report["missing"][0]["reason"].as_str().unwrap().contains("kiro/1769176049999"), "{report}");
    assert_eq!((report["failed"].as_array().unwrap().len(), report["orphans"].as_array().unwrap().len()), (0, 2));
}

#[test]
fn the_sample_is_imported_exported_and_imported_again_without_a_loss() {
    for site in Site::each() {
        let folder = site.sample();
        let dry = site.import("configs", &["--dry-run"]);
        assert_found(&dry);
        assert_eq!(dry.status, 1);

        let first = site.import("configs", &[]);
        assert_found(&first);
        assert_eq!(first.status, 1, "a token file is missing: {first:?}");
        let created = first.count("created");
        assert_eq!((created, dry.count("created")), (8 + 1 + 16 + 1 + 10 + 2 + 1, created), "a dry run says the same");
        assert_eq!(first.count("verified"), created);

        let second = site.import("configs", &["--allow-missing"]);
        assert_found(&second);
        assert_eq!((second.count("created"), second.count("replaced"), second.count("kept")), (0, 0, 0));
        assert_eq!((second.count("unchanged"), second.status), (created, 0));

        let out = site.export("out/configs");
        assert_eq!(files(&out), files(&folder));

        let other = Site::sqlite();
        let again = other.import(out.to_str().unwrap(), &["--allow-missing"]);
        assert_found(&again);
        assert_eq!((again.count("created"), again.status), (created, 0));
        assert_eq!(files(&other.export("back")), files(&folder));
    }
}

#[test]
fn what_the_store_holds_otherwise_is_replaced_by_force_alone() {
    let site = Site::sqlite();
    let folder = site.sample();
    site.import("configs", &[]);
    std::fs::write(folder.join("plugins.json"), "{\"plugins\": {}}").unwrap();
    let kept = site.import("configs", &["--allow-missing"]);
    assert_eq!((kept.count("kept"), kept.count("replaced"), kept.status), (1, 0, 0));
    assert_eq!(kept.json()["kept"][0]["origin"], "plugins.json");
    assert_ne!(files(&site.export("before/configs")), files(&folder));
    let forced = site.import("configs", &["--allow-missing", "--force"]);
    assert_eq!((forced.count("kept"), forced.count("replaced"), forced.status), (0, 1, 0));
    assert_eq!(files(&site.export("after/configs")), files(&folder));
}

#[test]
fn an_export_beside_the_folder_in_use_is_read_with_its_own_token_files() {
    let site = Site::sqlite();
    let folder = site.sample();
    site.import("configs", &[]);
    let backup = site.export("configs-backup");
    let token = folder.join("gemini/1769176045001_oauth_creds.json");
    std::fs::write(token, "{\"access_token\":\"of today\"}").unwrap();
    let ran = site.import(backup.to_str().unwrap(), &["--allow-missing"]);
    assert_eq!((ran.count("unchanged"), ran.count("kept"), ran.status), (39, 0, 0), "{ran:?}");
    let ran = site.import("configs", &["--allow-missing"]);
    assert_eq!((ran.count("unchanged"), ran.count("kept")), (38, 1), "the folder in use is another one by now");
}

#[test]
fn broken_files_are_told_with_their_place_and_the_rest_is_imported() {
    let site = Site::sqlite();
    let folder = site.sample();
    std::fs::write(folder.join("usage-cache.json"), "{\n  \"a\": ,\n}").unwrap();
    let ran = site.import("configs", &["--allow-missing"]);
    assert_eq!((ran.status, ran.count("failed"), ran.count("created")), (1, 1, 38));
    let failed = &ran.json()["failed"][0];
    assert_eq!(failed["origin"], "usage-cache.json");
    assert!(failed["reason"].as_str().unwrap().contains("line 2, column 8"), "{failed}");
    let mut expected = files(&folder);
    expected.remove("usage-cache.json");
    assert_eq!(files(&site.export("out/configs")), expected);
}

#[test]
fn the_commands_of_the_original_take_its_options() {
    let site = Site::redis();
    let folder = site.sample();
    let url = site.redis.as_ref().unwrap().url();
    let line = ["migrate", "--config-dir", "./configs", "--redis-url", &url, "--key-prefix", "gate:", "--verify"];
    let ran = site.run(&[&line[..], &["--allow-missing", "--json"]].concat());
    assert_eq!((ran.status, ran.count("created")), (0, 39), "{ran:?}");
    let line = ["export", "--output-dir", "out/configs", "--redis-url", &url, "--key-prefix", "gate:", "--json"];
    let ran = site.run(&line);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(files(&site.path("out/configs")), files(&folder));
    assert_eq!(site.import("configs", &["--dry-run"]).count("unchanged"), 0, "the prefix was not used");
}
