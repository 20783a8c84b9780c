//! Whatever a folder holds, it comes out as it went in: import and export together are the identity.

use crate::site::{Site, files};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeMap;
use std::path::Path;

/// How the original, its pages and people write the path of a token file; `@` stands for the path within the folder.
const WAYS: &[&str] = &["./configs/@", "configs/@", "@", ".\\configs\\@", "/gone/away/configs/@"];
/// Members that name a token file.
const MEMBERS: &[&str] = &[
    "KIRO_OAUTH_CREDS_FILE_PATH",
    "GEMINI_OAUTH_CREDS_FILE_PATH",
    "ANTIGRAVITY_OAUTH_CREDS_FILE_PATH",
    "QWEN_OAUTH_CREDS_FILE_PATH",
    "IFLOW_TOKEN_FILE_PATH",
    "IFLOW_OAUTH_CREDS_FILE_PATH",
    "CODEX_OAUTH_CREDS_FILE_PATH",
];

/// Values that a careless reader changes.
const LEAVES: &[&str] = &[
    "null",
    "true",
    "0",
    "-0.0",
    "1.0",
    "1e400",
    "12345678901234567890123",
    "1769176045109123",
    "[]",
    "{}",
    "\"\"",
    "\"a\\/b\\u00e9\"",
    "\"节点\"",
    "[ ]",
    "{ }",
];
/// Names of members; two of them are those of secrets.
const NAMES: &[&str] = &["b", "a", "API_KEY", "password", "über", "x y", ""];
/// Files beside the pools.
const FILES: &[&str] = &[
    "config.json",
    "plugins.json",
    "usage-cache.json",
    "token-store.json",
    "api-potluck-data.json",
    "custom_models.json",
    "market.json",
    "kiro/1_kiro-auth-token/1_kiro-auth-token.json",
    "qwen/orphan_oauth_creds.json",
];

/// JSON as a text, with spaces, digits and names that a careless reader changes.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(LEAVES).prop_map(str::to_owned);
    leaf.prop_recursive(3, 12, 4, |inner| {
        let array = prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", ")));
        let members = prop::sample::subsequence(NAMES, 0..=NAMES.len());
        let object = (members.prop_shuffle(), prop::collection::vec(inner, NAMES.len())).prop_map(|(names, values)| {
            let member = |(name, value): (&&str, &String)| format!("\"{name}\" :{value}");
            format!("{{{}}}", names.iter().zip(&values).map(member).collect::<Vec<_>>().join(",\n"))
        });
        prop_oneof![array, object]
    })
}

/// What the original says of how a provider does, and what it would never say.
const STATES: &[&str] = &[
    "\"isHealthy\": false",
    "\"isHealthy\":null",
    "\"usageCount\": 1234",
    "\"usageCount\": -1",
    "\"errorCount\" :3",
    "\"errorCount\": \"3\"",
    "\"refreshCount\": 18446744073709551615",
    "\"needsRefresh\": true",
    "\"lastUsed\": \"2026-01-25T10:30:00.123Z\"",
    "\"lastUsed\": \"1969-12-31T23:59:59Z\"",
    "\"lastErrorTime\": \"2026-01-25T10:30:00+02:00\"",
    "\"lastErrorMessage\": \"429\"",
    "\"lastErrorMessage\": \"\"",
    "\"scheduledRecoveryTime\": \"2026-02-01T00:00:00.000Z\"",
    "\"lastHealthCheckTime\": \"2026-02-01T00:00:00.000Z\"",
    "\"lastHealthCheckModel\": \"m\"",
    "\"_lastSelectionSeq\": 7",
    "\"isDisabled\": true",
    "\"notSupportedModels\": []",
];

/// Some of them, each member once.
fn state() -> impl Strategy<Value = String> {
    prop::sample::subsequence(STATES, 0..=STATES.len()).prop_shuffle().prop_map(|said| {
        let name = |member: &str| member.split('"').nth(1).unwrap_or_default().to_owned();
        let members: BTreeMap<String, &str> = said.into_iter().map(|member| (name(member), member)).collect();
        members.into_values().map(|member| format!(", {member}")).collect()
    })
}

/// A provider: what the file says of it, and whether it has a token file.
#[derive(Debug, Clone)]
struct Provider {
    state: String,
    extra: String,
    token: Option<(usize, usize, String)>,
}

fn provider() -> impl Strategy<Value = Provider> {
    let token = prop::option::of((0..MEMBERS.len(), 0..WAYS.len(), json()));
    (state(), json(), token).prop_map(|(state, extra, token)| Provider { state, extra, token })
}

/// A record of a gateway key: members that count, and others, in any order.
fn key() -> impl Strategy<Value = String> {
    let count = prop::sample::select(&["0", "17", "1717", "-1", "null", "2.0", "\"many\""][..]);
    let flag = prop::sample::select(&["true", "false", "null"][..]);
    let day = prop::sample::select(&["\"2026-01-25\"", "\"\"", "null"][..]);
    let time = prop::sample::select(&["\"2026-01-25T10:30:00.123Z\"", "\"2026-01-25\"", "null"][..]);
    let members = (count.clone(), count.clone(), count, flag, day, time, json());
    members.prop_map(|(limit, today, total, enabled, day, used, extra)| {
        format!(
            "{{ \"extra\": {extra}, \"dailyLimit\": {limit},\"todayUsage\":{today}, \"totalUsage\": {total}, \
            \"enabled\": {enabled}, \"lastResetDate\": {day},\n \"lastUsedAt\": {used}}}"
        )
    })
}

/// The file of gateway keys. No two folders have a secret in common: a store takes a secret once.
fn keys() -> impl Strategy<Value = String> {
    let keys = prop::collection::vec((prop::array::uniform2(prop::num::u64::ANY), key()), 0..4);
    (keys, json()).prop_map(|(keys, extra)| {
        let key = |([a, b], record): &([u64; 2], String)| format!("\"maki_{a:016x}{b:016x}\" : {record}");
        let keys: Vec<String> = keys.iter().map(key).collect();
        format!("{{\n\"keys\": {{{}}}, \"v\": {extra}}}", keys.join(",\n  "))
    })
}

/// A folder: its pools, and other files with what stands in them.
#[derive(Debug, Clone)]
struct Folder {
    pools: Vec<Vec<Provider>>,
    files: BTreeMap<&'static str, String>,
}

fn folder() -> impl Strategy<Value = Folder> {
    let object = || json().prop_map(|value| format!("{{\"v\": {value}}}"));
    let jsons = prop::sample::subsequence(FILES, 1..=FILES.len());
    let texts = ("[ -~\n]{0,40}", prop::bool::ANY);
    let files = (jsons, prop::collection::vec(object(), FILES.len()), texts, prop::option::of(keys())).prop_map(
        |(names, values, (text, has_texts), keys)| {
            let mut files: BTreeMap<&'static str, String> = names.into_iter().zip(values).collect();
            files.extend(keys.map(|keys| ("api-potluck-keys.json", keys)));
            if has_texts {
                files.insert("input_system_prompt.txt", text.clone());
                files.insert("pwd", text);
            }
            files
        },
    );
    let pools = prop::collection::vec(prop::collection::vec(provider(), 0..3), 0..4);
    (pools, files).prop_map(|(pools, files)| Folder { pools, files })
}

impl Folder {
    /// The files of the folder, by path.
    fn laid_out(&self) -> BTreeMap<String, String> {
        let mut files: BTreeMap<String, String> =
            self.files.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect();
        let mut pools = Vec::new();
        // In another order than that of names.
        for (at, providers) in self.pools.iter().enumerate().rev() {
            let bodies: Vec<String> = providers
                .iter()
                .enumerate()
                .map(|(place, provider)| provider.laid_out((at, place), &mut files))
                .collect();
            pools.push(match bodies.is_empty() {
                true => format!("  \"pool-{at}\": []"),
                false => format!("  \"pool-{at}\": [\n    {}\n  ]", bodies.join(",\n    ")),
            });
        }
        let text = if pools.is_empty() { "{}".to_owned() } else { format!("{{\n{}\n}}", pools.join(",\n")) };
        files.insert("provider_pools.json".into(), text);
        files
    }

    fn write(&self, folder: &Path) -> BTreeMap<String, String> {
        let files = self.laid_out();
        for (name, text) in &files {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        files
    }
}

impl Provider {
    fn laid_out(&self, (pool, place): (usize, usize), files: &mut BTreeMap<String, String>) -> String {
        let mut members = format!("\"extra\": {}, \"uuid\": \"{pool}-{place}\"{}", self.extra, self.state);
        if let Some((member, way, text)) = &self.token {
            let name = format!("tokens/{pool}/{place}.json");
            let way = WAYS[*way];
            let path = way.replace('@', &if way.contains('\\') { name.replace('/', "\\") } else { name.clone() });
            members += &format!(", \"{}\": {}", MEMBERS[*member], serde_json::to_string(&path).unwrap());
            files.insert(name, format!("{{\"v\": {text}, \"refresh_token\":\"r\"}}"));
        }
        format!("{{{members}}}")
    }
}

fn goes_through(site: &Site, folder: &Folder) {
    let before = folder.write(&site.path("configs"));
    let ran = site.import("configs", &[]);
    assert_eq!((ran.status, ran.count("kept")), (0, 0), "{ran:?}");
    assert_eq!(files(&site.export("out/configs")), before);
    let again = site.import("out/configs", &[]);
    assert_eq!((again.count("created"), again.count("replaced"), again.status), (0, 0, 0), "{again:?}");
}

#[test]
fn any_folder_comes_out_of_either_store_as_it_went_in() {
    let mut runner = TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
    let cases = runner.run(&(folder(), prop::bool::ANY), |(folder, on_redis)| {
        goes_through(&if on_redis { Site::redis() } else { Site::sqlite() }, &folder);
        Ok(())
    });
    cases.unwrap();
}
