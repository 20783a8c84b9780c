//! The file of gateway keys: what was imported of it, with what became of the keys since.

use super::text::{members, with_members};
use mainstay_api::RawJson;
use mainstay_core::jsontext::merge_patch;
use std::collections::{BTreeMap, BTreeSet};

/// The member of the file that holds the keys, by their secrets.
const KEYS: &str = "keys";

/// The records of keys in a file, by their secrets; nothing where the file has another form.
pub fn records(file: &RawJson) -> Vec<(String, RawJson)> {
    let keys = members(file).and_then(|members| members.into_iter().find(|(name, _)| name == KEYS));
    keys.and_then(|(_, keys)| members(&keys)).unwrap_or_default()
}

/// The file as it is to be written: the imported text with the records that changed since, without keys that were removed, and with
/// those that came from elsewhere. What did not change keeps its bytes.
pub fn merged(imported: Option<&RawJson>, now: &RawJson) -> Option<RawJson> {
    let standing = records(now);
    let Some(imported) = imported else {
        return (!standing.is_empty()).then(|| now.clone());
    };
    let known: BTreeMap<String, RawJson> = records(imported).into_iter().collect();
    let there: BTreeSet<&str> = standing.iter().map(|(secret, _)| secret.as_str()).collect();
    let gone: BTreeMap<&str, ()> =
        known.keys().map(String::as_str).filter(|secret| !there.contains(secret)).map(|secret| (secret, ())).collect();
    let without = match gone.is_empty() {
        true => imported.clone(),
        false => merge_patch(imported, &RawJson::of(&BTreeMap::from([(KEYS, gone)])).ok()?).ok()?,
    };
    let changed: Vec<(&str, String)> = standing
        .iter()
        .filter(|(secret, record)| known.get(secret) != Some(record))
        .map(|(secret, record)| (secret.as_str(), record.as_str().to_owned()))
        .collect();
    if changed.is_empty() {
        return Some(without);
    }
    let keys = members(&without)?.into_iter().find(|(name, _)| name == KEYS);
    let keys = keys.map_or_else(RawJson::empty_object, |(_, keys)| keys);
    with_members(&without, &[(KEYS, with_members(&keys, &changed)?.as_str().to_owned())])
}

#[cfg(test)]
mod tests {
    use super::super::text::parse;
    use super::*;

    const FILE: &str =
        "{\n  \"v\": 1,\n  \"keys\": {\n    \"maki_a\": {\"n\": 1.0},\n    \"maki_b\": {\"n\": [ ]}\n  }\n}";

    fn written(now: &str) -> String {
        merged(Some(&parse(FILE).unwrap()), &parse(now).unwrap()).unwrap().as_str().to_owned()
    }

    #[test]
    fn keys_that_did_not_change_keep_their_bytes() {
        assert_eq!(written(r#"{"keys":{"maki_a":{"n": 1.0},"maki_b":{"n": [ ]}}}"#), FILE);
        assert_eq!(
            written(r#"{"keys":{"maki_b":{"n": 7},"maki_c":{}}}"#),
            "{\n  \"v\": 1,\n  \"keys\": {\n    \"maki_b\": {\"n\": 7},\n    \"maki_c\": {}\n  }\n}"
        );
    }

    #[test]
    fn without_an_imported_file_it_is_that_of_the_keys_there_are() {
        let now = parse(r#"{"keys":{"maki_a":{}}}"#).unwrap();
        assert_eq!(merged(None, &now), Some(now.clone()));
        assert_eq!(merged(None, &parse(r#"{"keys":{}}"#).unwrap()), None);
    }
}
