//! First settings of an empty store.

use crate::site::{Site, files};
use serde_json::{Value, json};

#[test]
fn first_settings_are_made_once_and_replaced_by_force_alone() {
    for site in Site::each() {
        let made = site.run(&["init", "--json"]);
        assert_eq!(made.status, 0, "{made:?}");
        let key = made.stderr.lines().find_map(|line| line.split_once("the key of clients is ")).unwrap().1.to_owned();
        assert!(key.starts_with("sk-") && key.len() == 51, "{key}");

        let again = site.run(&["init", "--api-key", "sk-other"]);
        assert_eq!(again.status, 1);
        assert!(again.stderr.contains("has settings already"), "{again:?}");
        let written = files(&site.export("out"));
        let names: Vec<_> = written.keys().map(String::as_str).collect();
        assert_eq!(names, ["config.json", "plugins.json", "provider_pools.json"]);
        let config: Value = serde_json::from_str(&written["config.json"]).unwrap();
        assert_eq!((&config["REQUIRED_API_KEY"], &config["SERVER_PORT"]), (&json!(key), &json!(3000)));
        assert_eq!(written["provider_pools.json"], "{}");

        let line = ["init", "--force", "--api-key", "sk-other", "--port", "8080", "--password", "pw"];
        assert_eq!(site.run(&line).status, 0);
        let written = files(&site.export("again"));
        let config: Value = serde_json::from_str(&written["config.json"]).unwrap();
        assert_eq!((&config["REQUIRED_API_KEY"], &config["SERVER_PORT"]), (&json!("sk-other"), &json!(8080)));
        assert_eq!(written["pwd"], "pw");
    }
}

#[test]
fn a_dry_run_of_first_settings_writes_nothing() {
    let site = Site::sqlite();
    let ran = site.run(&["init", "--dry-run", "--json"]);
    assert_eq!((ran.status, ran.count("created")), (0, 3), "{ran:?}");
    assert_eq!(files(&site.export("out")).len(), 0);
}
