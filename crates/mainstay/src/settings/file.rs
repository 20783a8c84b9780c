//! Reading `mainstay.toml`.

use super::table::Setting;
use super::{Refusal, conversations, issuers, refusal, streams};
use mainstay_api::TenantId;
use mainstay_api::conversations::Retention;
use mainstay_server::identity::tokens::IssuerConfig;
use std::collections::BTreeMap;
use std::path::Path;

/// The least likeness of a key to a known one for it to be suggested.
const LIKENESS: f64 = 0.7;

/// The name of the list of trusted issuers.
const ISSUERS: &str = "issuers";

/// The name of the section of streams.
const STREAMS: &str = "streams";

/// What a settings file says.
#[derive(Debug, Default)]
pub struct Content {
    /// Values by key, as text.
    pub values: BTreeMap<&'static str, String>,
    /// Trusted issuers.
    pub issuers: Vec<IssuerConfig>,
    /// Streams of events, and what is said of them.
    pub streams: Vec<streams::Said>,
    /// How long the conversations of some tenants are kept.
    pub conversation_tenants: BTreeMap<TenantId, Retention>,
}

/// What a settings file says.
///
/// # Errors
/// `settings.invalid`: it is no TOML, or holds a key that is none.
pub fn parse(text: &str, path: &Path) -> Result<Content, Refusal> {
    let mut table: toml::Table = text.parse().map_err(|cause| {
        let detail = format!("{} is not valid TOML: {cause}", path.display());
        refusal(detail, "Correct the file.")
    })?;
    let issuers = match table.remove(ISSUERS) {
        Some(value) => issuers::parse(&value, path)?,
        None => Vec::new(),
    };
    let streams = match table.remove(STREAMS) {
        Some(value) => streams::parse(&value, path)?,
        None => Vec::new(),
    };
    let conversation_tenants = tenants(&mut table, path)?;
    let mut values = BTreeMap::new();
    flatten("", &table, &mut |key, value| {
        let known = known_key(key).ok_or_else(|| unknown(key, path))?;
        let text = text_of(value).ok_or_else(|| {
            let detail = format!("{}: {key} must be a text, a number, true, false, or a list of texts", path.display());
            refusal(detail, "Correct the file.")
        })?;
        values.insert(known, text);
        Ok(())
    })?;
    Ok(Content { values, issuers, streams, conversation_tenants })
}

/// Takes the tables of tenants out of the section of conversations: their names are the file's own.
fn tenants(table: &mut toml::Table, path: &Path) -> Result<BTreeMap<TenantId, Retention>, Refusal> {
    let section = table.get_mut("conversations").and_then(toml::Value::as_table_mut);
    let Some(value) = section.and_then(|section| section.remove("tenants")) else {
        return Ok(BTreeMap::new());
    };
    let broken = |name: &str, rule: &str| {
        let detail = format!("{}: conversations.tenants{name}: {rule}", path.display());
        refusal(detail, "Give each tenant a table: [conversations.tenants.\"<tenant>\"], ttl_seconds = 86400.")
    };
    let toml::Value::Table(tenants) = value else { return Err(broken("", "must be tables")) };
    let one = |(tenant, value): (String, toml::Value)| {
        let name = format!(".{tenant}");
        let table = value.as_table().ok_or_else(|| broken(&name, "must be a table"))?;
        conversations::tenant_retention(&tenant, table).map_err(|rule| broken(&name, &rule))
    };
    tenants.into_iter().map(one).collect()
}

/// The known key that is likest to another, if it is like enough to be meant.
pub(super) fn closest<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |known: &&str| strsim::jaro_winkler(known, key);
    known.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).filter(|known| likeness(known) >= LIKENESS)
}

fn flatten(
    prefix: &str,
    table: &toml::Table,
    take: &mut impl FnMut(&str, &toml::Value) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            toml::Value::Table(section) if known_key(&key).is_none() => flatten(&key, section, take)?,
            value => take(&key, value)?,
        }
    }
    Ok(())
}

fn keys() -> impl Iterator<Item = &'static str> {
    Setting::ALL.iter().map(|setting| setting.entry().key).filter(|key| !key.is_empty())
}

fn known_key(key: &str) -> Option<&'static str> {
    keys().find(|known| *known == key)
}

fn unknown(key: &str, path: &Path) -> Refusal {
    let secret = Setting::ALL.iter().map(|setting| setting.entry()).find(|entry| {
        entry.key.is_empty()
            && entry.variable.trim_start_matches("MAINSTAY_").eq_ignore_ascii_case(&key.replace('.', "_"))
    });
    let help = match (secret, closest(key, keys().chain([ISSUERS]))) {
        (_, Some(ISSUERS)) => "Did you mean `[[issuers]]`? It heads a table for each trusted issuer.".into(),
        (Some(entry), _) => format!("A file cannot say this; set {} in the environment.", entry.variable),
        (None, Some(known)) => format!("Did you mean `{known}`? `mainstay reference settings` lists every key."),
        (None, None) => "`mainstay reference settings` lists every key.".into(),
    };
    refusal(format!("{}: there is no setting `{key}`", path.display()), help)
}

fn text_of(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        toml::Value::Array(items) => {
            let items: Option<Vec<&str>> = items.iter().map(toml::Value::as_str).collect();
            Some(items?.join(","))
        }
        _ => None,
    }
}
