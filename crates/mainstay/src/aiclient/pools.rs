//! The file of the pools, taken apart and put together.

use super::picture::{POOLS_FILE, Pool, Provider, Reading};
use super::text::{elements, members, string_member};
use mainstay_api::RawJson;
use mainstay_api::providers::{PoolType, ProviderId};
use std::collections::BTreeSet;

/// The pools that a text holds. What cannot be one is noted, and the rest is taken.
pub fn parse(text: &RawJson, reading: &mut Reading) -> Vec<Pool> {
    let Some(pools) = members(text) else {
        reading.fail(POOLS_FILE, "it is no object of pools");
        return Vec::new();
    };
    let mut parsed = Vec::with_capacity(pools.len());
    for (name, providers) in pools {
        let origin = format!("{POOLS_FILE}: {name}");
        let kind = match PoolType::parse(&name) {
            Ok(kind) => kind,
            Err(error) => {
                reading.fail(origin, error.to_string());
                continue;
            }
        };
        match elements(&providers) {
            None => reading.fail(origin, "it is no array of providers"),
            Some(bodies) => {
                let providers = providers_of(&bodies, &origin, reading);
                parsed.push(Pool { kind, settings: None, providers });
            }
        }
    }
    parsed
}

fn providers_of(bodies: &[RawJson], origin: &str, reading: &mut Reading) -> Vec<Provider> {
    let mut ids = BTreeSet::new();
    let mut providers = Vec::with_capacity(bodies.len());
    for (at, body) in bodies.iter().enumerate() {
        match id_of(body) {
            Err(reason) => reading.fail(format!("{origin}[{at}]"), reason),
            Ok(id) if !ids.insert(id.to_string()) => {
                reading.fail(format!("{origin}[{at}]"), format!("the uuid {id} stands twice in the pool"));
            }
            Ok(id) => providers.push(Provider { id, body: body.clone(), credential: None }),
        }
    }
    providers
}

/// The id that a provider's text gives it.
///
/// # Errors
/// Why it gives none.
pub fn id_of(body: &RawJson) -> Result<ProviderId, String> {
    if !body.is_object() {
        return Err("it is no object".into());
    }
    let uuid = string_member(body, "uuid").ok_or("it has no uuid")?;
    ProviderId::parse(&uuid).map_err(|error| format!("its uuid cannot be used: {error}"))
}

/// The paths of token files that a provider names: those that are not empty, in their order. A provider has one, but the
/// original calls that of iFlow by two names.
pub fn token_paths(body: &RawJson) -> Vec<String> {
    let is_path = |name: &str| name.ends_with("_CREDS_FILE_PATH") || name.ends_with("_TOKEN_FILE_PATH");
    let paths = members(body).unwrap_or_default().into_iter().filter(|(name, _)| is_path(name));
    paths.filter_map(|(_, value)| value.read::<String>().ok()).filter(|path| !path.trim().is_empty()).collect()
}

/// The file of the pools, indented as the original does it; each provider keeps its own text.
pub fn write(pools: &[Pool]) -> String {
    let pool = |pool: &Pool| {
        let bodies: Vec<String> =
            pool.providers.iter().map(|provider| format!("    {}", provider.body.as_str())).collect();
        match bodies.is_empty() {
            true => format!("  {:?}: []", pool.kind.as_str()),
            false => format!("  {:?}: [\n{}\n  ]", pool.kind.as_str(), bodies.join(",\n")),
        }
    };
    match pools.is_empty() {
        true => "{}".to_owned(),
        false => format!("{{\n{}\n}}", pools.iter().map(pool).collect::<Vec<_>>().join(",\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::text;
    use super::*;

    #[test]
    fn what_is_no_provider_is_told_and_the_rest_is_taken() {
        let json = text::parse(
            r#"{"a":[{"uuid":"1"},7,{"name":"x"},{"uuid":"1"},{"uuid":"a b"}],"bad name":[],"b":{},"empty":[]}"#,
        );
        let mut reading = Reading::default();
        let pools = parse(&json.unwrap(), &mut reading);
        let names: Vec<_> = pools.iter().map(|pool| (pool.kind.as_str(), pool.providers.len())).collect();
        assert_eq!(names, [("a", 1), ("empty", 0)]);
        let origins: Vec<_> = reading.failed.iter().map(|failed| failed.origin.as_str()).collect();
        let of = |place: &str| format!("provider_pools.json: {place}");
        assert_eq!(origins, [of("a[1]"), of("a[2]"), of("a[3]"), of("a[4]"), of("bad name"), of("b")]);
    }

    #[test]
    fn a_file_of_the_original_is_written_byte_for_byte() {
        let file = "{\n  \"a\": [\n    {\n      \"uuid\": \"1\",\n      \"n\": []\n    },\n    {\n      \"uuid\": \"2\"\n    }\n  ],\n  \"e\": []\n}";
        let mut reading = Reading::default();
        assert_eq!(write(&parse(&text::parse(file).unwrap(), &mut reading)), file);
        assert_eq!(write(&[]), "{}");
    }

    #[test]
    fn both_names_of_the_path_of_iflow_are_read_and_an_empty_one_is_none() {
        let body =
            r#"{"IFLOW_TOKEN_FILE_PATH":"","IFLOW_OAUTH_CREDS_FILE_PATH":"a","KIRO_OAUTH_CREDS_FILE_PATH":null}"#;
        assert_eq!(token_paths(&text::parse(body).unwrap()), ["a"]);
        let other = r#"{"IFLOW_TOKEN_FILE_PATH":"b","IFLOW_OAUTH_CREDS_FILE_PATH":"a"}"#;
        assert_eq!(token_paths(&text::parse(other).unwrap()), ["b", "a"]);
    }
}
