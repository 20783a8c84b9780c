//! The keys of the original in Redis, read as the files that they stand for.

use super::picture::{
    CONFIG_FILE, Content, Failed, PASSWORD_FILE, PLUGINS_FILE, Pool, Provider, Reading, SESSIONS_FILE, USAGE_FILE,
};
use super::pools::{id_of, token_paths};
use super::text::parse;
use mainstay_api::RawJson;
use mainstay_api::providers::{PoolType, ProviderId};
use mainstay_redis::legacy_keys::LegacyValue;
use std::collections::BTreeMap;

/// How the original's migration names the tokens of Codex, and how it names their pool.
const CODEX: (&str, &str) = ("openai-codex", "openai-codex-oauth");
/// Keys that hold nothing that lasts: locks, dates, indexes and counters of the original.
const PASSING: &[&str] = &["meta", "pool-types", "token-lock:", "kiro:", "counters:", "usage:"];

/// Reads keys by what follows the prefix. The order of pools, and of providers in one, is not kept there: it is that of names.
pub fn read(keys: Vec<(String, LegacyValue)>) -> Reading {
    let mut reading = Reading::default();
    let mut pools: BTreeMap<PoolType, Vec<Provider>> = BTreeMap::new();
    let mut tokens: BTreeMap<(String, String), RawJson> = BTreeMap::new();
    let mut sessions = Vec::new();
    for (key, value) in keys {
        match (parts(&key), value) {
            (_, LegacyValue::Unreadable(reason)) if !is_passing(&key) => reading.fail(key, reason),
            (["pools", kind, ""], LegacyValue::Hash(fields)) => match PoolType::parse(kind) {
                Ok(kind) => drop(pools.insert(kind, providers(&key, fields, &mut reading))),
                Err(error) => reading.fail(key, error.to_string()),
            },
            (["tokens", kind, uuid], LegacyValue::Text(text)) if !uuid.is_empty() => match parse(&text) {
                Ok(json) => {
                    // Under its own name it is the newer one: the other is what the migration left.
                    let own = if kind == CODEX.0 { CODEX.1 } else { kind };
                    let place = (own.to_owned(), uuid.to_owned());
                    if own == kind || !tokens.contains_key(&place) {
                        tokens.insert(place, json);
                    }
                }
                Err(reason) => reading.fail(key, reason),
            },
            (["sessions", token, ""], LegacyValue::Text(text)) => match parse(&text) {
                Ok(json) => sessions.push((token.to_owned(), json)),
                Err(reason) => reading.fail("sessions", reason),
            },
            _ if is_passing(&key) && key != "usage:cache" => {}
            (_, LegacyValue::Text(text)) => file(&key, text, &mut reading),
            (_, _) => reading.ignored.push(key),
        }
    }
    if !sessions.is_empty() {
        reading.picture.files.insert(SESSIONS_FILE.to_owned(), Content::Json(session_file(&sessions)));
    }
    link(pools, tokens, &mut reading);
    reading
}

/// A key has up to three parts; the last may hold colons.
fn parts(key: &str) -> [&str; 3] {
    let mut parts = key.splitn(3, ':');
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

fn is_passing(key: &str) -> bool {
    PASSING.iter().any(|known| key == *known || known.ends_with(':') && key.starts_with(known))
}

fn file(key: &str, text: String, reading: &mut Reading) {
    let name = match key {
        "config" => CONFIG_FILE,
        "plugins" => PLUGINS_FILE,
        "usage:cache" => USAGE_FILE,
        "pwd" => {
            reading.picture.files.insert(PASSWORD_FILE.to_owned(), Content::Text(text));
            return;
        }
        _ => {
            reading.ignored.push(key.to_owned());
            return;
        }
    };
    match parse(&text) {
        Ok(json) => drop(reading.picture.files.insert(name.to_owned(), Content::Json(json))),
        Err(reason) => reading.fail(key, reason),
    }
}

fn providers(key: &str, mut fields: Vec<(String, String)>, reading: &mut Reading) -> Vec<Provider> {
    fields.sort();
    let mut providers = Vec::with_capacity(fields.len());
    for (uuid, text) in fields {
        let read = parse(&text).and_then(|body| {
            let id = id_of(&body)?;
            if id.as_str() == uuid { Ok((id, body)) } else { Err(format!("its uuid is {id}")) }
        });
        match read {
            Ok((id, body)) => providers.push(Provider { id, body, credential: None }),
            Err(reason) => reading.fail(format!("{key} {uuid}"), reason),
        }
    }
    providers
}

/// Gives each provider its token. One of nobody is what is left of a provider that got another uuid.
fn link(
    pools: BTreeMap<PoolType, Vec<Provider>>,
    mut tokens: BTreeMap<(String, String), RawJson>,
    reading: &mut Reading,
) {
    let mut linked = Vec::with_capacity(pools.len());
    for (kind, mut providers) in pools {
        for provider in &mut providers {
            provider.credential = tokens.remove(&(kind.to_string(), provider.id.to_string()));
            if provider.credential.is_none() && !token_paths(&provider.body).is_empty() {
                let reason = format!("the key tokens:{kind}:{} is not there", provider.id);
                reading.missing.push(Failed { origin: format!("{kind}/{}", provider.id), reason });
            }
        }
        linked.push(Pool { kind, settings: None, providers });
    }
    reading.picture.pools = (!linked.is_empty()).then_some(linked);
    for ((kind, uuid), text) in tokens {
        let is_name =
            PoolType::parse(&kind).is_ok() && ProviderId::parse(&uuid).is_ok() && ![&*kind, &*uuid].contains(&"..");
        match is_name {
            true => drop(reading.picture.orphans.insert(format!("orphans/{kind}/{uuid}.json"), text)),
            false => reading.fail(format!("tokens:{kind}:{uuid}"), "it can have no file of this name"),
        }
    }
}

fn session_file(sessions: &[(String, RawJson)]) -> RawJson {
    let sessions: BTreeMap<&str, &RawJson> = sessions.iter().map(|(token, json)| (token.as_str(), json)).collect();
    RawJson::of(&BTreeMap::from([("tokens", sessions)])).unwrap_or_else(|_| unreachable!("texts are names of members"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(key: &str, text: &str) -> (String, LegacyValue) {
        (key.to_owned(), LegacyValue::Text(text.to_owned()))
    }

    fn hash(key: &str, fields: &[(&str, &str)]) -> (String, LegacyValue) {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        (key.to_owned(), LegacyValue::Hash(fields))
    }

    #[test]
    fn tokens_of_codex_are_found_under_both_names() {
        let reading = read(vec![
            hash("pools:openai-codex-oauth", &[("1", r#"{"uuid":"1"}"#), ("2", r#"{"uuid":"2"}"#)]),
            text("tokens:openai-codex:1", r#"{"access_token":"old"}"#),
            text("tokens:openai-codex:2", r#"{"access_token":"two"}"#),
            text("tokens:openai-codex-oauth:1", r#"{"access_token":"new"}"#),
        ]);
        let pools = reading.picture.pools.unwrap();
        let tokens: Vec<_> = pools[0].providers.iter().map(|provider| provider.credential.as_ref().unwrap()).collect();
        assert_eq!(tokens[0].as_str(), r#"{"access_token":"new"}"#);
        assert_eq!(tokens[1].as_str(), r#"{"access_token":"two"}"#);
        assert!(reading.picture.orphans.is_empty());
    }

    #[test]
    fn defect_18_what_a_new_uuid_left_behind_is_told_and_kept() {
        let reading = read(vec![
            hash("pools:claude-kiro-oauth", &[("new", r#"{"uuid":"new","KIRO_OAUTH_CREDS_FILE_PATH":"a"}"#)]),
            text("tokens:claude-kiro-oauth:old", r#"{"accessToken":"a"}"#),
        ]);
        assert_eq!(reading.picture.orphans.keys().collect::<Vec<_>>(), ["orphans/claude-kiro-oauth/old.json"]);
        assert_eq!(reading.missing[0].origin, "claude-kiro-oauth/new");
    }

    #[test]
    fn every_key_of_the_original_has_its_file() {
        let reading = read(vec![
            text("config", r#"{"SERVER_PORT":3000}"#),
            text("plugins", r#"{"plugins":{}}"#),
            text("pwd", "secret"),
            text("usage:cache", "{}"),
            text("sessions:ab", r#"{"expiryTime":1}"#),
            hash("meta", &[("version", "1.0")]),
            text("kiro:round-robin-counter", "7"),
            text("token-lock:a:b", "1"),
            ("pool-types".into(), LegacyValue::Unreadable("it is a set".into())),
            text("broken", "x"),
        ]);
        let names: Vec<_> = reading.picture.files.keys().map(String::as_str).collect();
        assert_eq!(names, ["config.json", "plugins.json", "pwd", "token-store.json", "usage-cache.json"]);
        assert_eq!(reading.picture.files["token-store.json"].as_str(), r#"{"tokens":{"ab":{"expiryTime":1}}}"#);
        assert_eq!((reading.failed, reading.ignored), (vec![], vec!["broken".to_owned()]));
    }
}
