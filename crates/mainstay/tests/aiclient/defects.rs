//! Defects of the original that must not come back, by their numbers.

use crate::site::{Site, files};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

/// Writes the keys of the original into the Redis of the site.
fn fill(site: &Site, keys: &[(&str, Option<&str>, &str)]) {
    let url = site.redis.as_ref().unwrap().url();
    for (key, field, value) in keys {
        let mut command = std::process::Command::new("redis-cli");
        command.args(["-u", &url]);
        match field {
            Some(field) => command.args(["HSET", key, field, value]),
            None => command.args(["SET", key, value]),
        };
        assert!(command.output().unwrap().status.success());
    }
}

#[test]
fn defect_3_empty_arrays_long_integers_and_the_order_of_members_stay() {
    for site in Site::each() {
        let folder = site.path("configs");
        std::fs::create_dir_all(&folder).unwrap();
        let body = "{\"z\":[],\"n\":1769176045109123456,\"u\":\"a\\/b\",\"uuid\":\"1\",\"f\":1.0,\"e\":1e400,\"o\":{}}";
        let pools = format!("{{\n  \"b\": [\n    {body}\n  ],\n  \"a\": []\n}}");
        std::fs::write(folder.join("provider_pools.json"), &pools).unwrap();
        assert_eq!(site.import("configs", &[]).status, 0);
        assert_eq!(files(&site.export("out"))["provider_pools.json"], pools);
    }
}

#[test]
fn defect_10_every_family_of_tokens_and_every_way_to_write_a_path_is_found() {
    let site = Site::sqlite();
    let folder = site.path("configs");
    let families = [
        ("claude-kiro-oauth", "KIRO_OAUTH_CREDS_FILE_PATH", "./configs/kiro/1_kiro-auth-token/1_kiro-auth-token.json"),
        ("gemini-cli-oauth", "GEMINI_OAUTH_CREDS_FILE_PATH", "configs/gemini/1_oauth_creds.json"),
        ("gemini-antigravity", "ANTIGRAVITY_OAUTH_CREDS_FILE_PATH", "configs\\antigravity\\1_oauth_creds.json"),
        ("openai-qwen-oauth", "QWEN_OAUTH_CREDS_FILE_PATH", "qwen/1_oauth_creds.json"),
        ("openai-iflow", "IFLOW_TOKEN_FILE_PATH", "./configs/iflow/1_oauth_creds.json"),
        ("openai-codex-oauth", "CODEX_OAUTH_CREDS_FILE_PATH", ".\\configs\\codex\\1_codex-a@b.json"),
    ];
    let mut pools = serde_json::Map::new();
    for (kind, member, path) in families {
        let plain = path.replace('\\', "/");
        let file = folder.join(plain.trim_start_matches("./").trim_start_matches("configs/"));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, format!("{{\"access_token\":\"{kind}\"}}")).unwrap();
        pools.insert(kind.into(), json!([{ "uuid": kind, member: path }]));
    }
    std::fs::write(folder.join("provider_pools.json"), Value::from(pools).to_string()).unwrap();
    let ran = site.import("configs", &[]);
    assert_eq!((&ran.json()["found"]["credentials"], ran.status), (&json!(6), 0), "{ran:?}");
    assert_eq!((ran.count("orphans"), ran.count("missing")), (0, 0));
}

#[test]
fn defect_10_a_missing_token_file_is_an_error_and_no_success_is_printed() {
    let site = Site::sqlite();
    site.sample();
    let ran = site.run(&["import", "aiclient", "configs"]);
    assert_eq!(ran.status, 1);
    assert!(ran.stdout.contains("missing claude-kiro-oauth/66b2b98c-97a5-453d-a2b5-e02ff074a02b"), "{}", ran.stdout);
    assert!(ran.stdout.contains("1 missing"), "{}", ran.stdout);
}

#[test]
fn defect_11_an_export_is_imported_again_and_a_second_import_keeps_what_is_known_of_the_first() {
    let site = Site::sqlite();
    let folder = site.sample();
    site.import("configs", &[]);
    let known = site.run(&["settings", "get", "import", "--collection", "legacy"]);
    assert_eq!(known.status, 0, "{known:?}");
    site.import("configs", &[]);
    assert_eq!(site.run(&["settings", "get", "import", "--collection", "legacy"]).stdout, known.stdout);
    let out = site.export("elsewhere/other-name");
    assert_eq!(files(&out), files(&folder), "empty pools, their order and every path stay");
}

#[test]
fn defect_18_the_redis_of_the_original_is_read_with_what_it_left_behind() {
    let site = Site::redis();
    fill(
        &site,
        &[
            ("aiclient:config", None, r#"{"REQUIRED_API_KEY":"sk-1","n":12345678901234567890,"e":[]}"#),
            (
                "aiclient:pools:openai-codex-oauth",
                Some("u-1"),
                r#"{"uuid":"u-1","CODEX_OAUTH_CREDS_FILE_PATH":"configs/codex/a.json"}"#,
            ),
            ("aiclient:tokens:openai-codex:u-1", None, r#"{"access_token":"a"}"#),
            ("aiclient:tokens:openai-codex-oauth:u-0", None, r#"{"access_token":"left behind"}"#),
            ("aiclient:meta", Some("version"), "1.0"),
            ("other:config", None, "{}"),
        ],
    );
    let source = site.redis.as_ref().unwrap().url();
    let ran = site.import(&source, &[]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(ran.json()["orphans"], json!(["orphans/openai-codex-oauth/u-0.json"]));
    let out = files(&site.export("out/configs"));
    assert_eq!(out["config.json"], r#"{"REQUIRED_API_KEY":"sk-1","n":12345678901234567890,"e":[]}"#);
    assert_eq!(out["codex/a.json"], r#"{"access_token":"a"}"#);
    assert_eq!(out["orphans/openai-codex-oauth/u-0.json"], r#"{"access_token":"left behind"}"#);
}

#[test]
fn defect_17_no_secret_of_the_files_stands_in_the_store_in_clear() {
    let site = Site::sqlite();
    site.sample();
    site.import("configs", &[]);
    let mut stored = Vec::new();
    for entry in std::fs::read_dir(site.sandbox.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("store.db") {
            stored.extend(std::fs::read(path).unwrap());
        }
    }
    let stored = String::from_utf8_lossy(&stored);
    for secret in
        ["sk-fake", "aor-fake", "aoa-fake", "ya29.fake", "s3cret-admin-pw", "maki_", "2125978b4e20", "rt_fake"]
    {
        assert!(!stored.contains(secret), "{secret}");
    }
    assert!(stored.contains("X_UNKNOWN_FUTURE_KEY"), "the store was not found");
}

#[test]
fn defect_12_a_pool_that_is_replaced_is_never_seen_empty() {
    let site = Site::redis();
    for (folder, name) in [("one", "first"), ("two", "second")] {
        let providers: Vec<Value> = (0..3).map(|at| json!({ "uuid": format!("u-{at}"), "customName": name })).collect();
        std::fs::create_dir_all(site.path(folder)).unwrap();
        let pools = json!({ "openai-custom": providers }).to_string();
        std::fs::write(site.path(folder).join("provider_pools.json"), pools).unwrap();
    }
    assert_eq!(site.import("one", &[]).status, 0);
    let has_looked = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for folder in ["two", "one"].into_iter().cycle() {
                let ran = site.import(folder, &["--force"]);
                assert_eq!((ran.count("replaced"), ran.status), (3, 0), "{ran:?}");
                if has_looked.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        for _ in 0..24 {
            let ran = site.run(&["export", "aiclient", "seen", "--force"]);
            let seen = files(&site.path("seen"))["provider_pools.json"].clone();
            let (all, first) = (seen.matches("\"u-").count(), seen.matches("first").count());
            if ran.status != 0 || all != 3 || ![0, 3].contains(&first) || writer.is_finished() {
                has_looked.store(true, Ordering::Relaxed);
                panic!("{ran:?}: {seen}");
            }
        }
        has_looked.store(true, Ordering::Relaxed);
    });
}
