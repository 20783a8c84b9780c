//! The part of a provider's settings that choices need.

use crate::providers::Traits;
use mainstay_api::RawJson;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Largest weight.
pub(super) const MAX_WEIGHT: u64 = 1_000;
/// Largest priority, and most requests at a time.
pub(super) const MAX_NUMBER: u64 = 1_000_000;
/// Most models in a list.
pub(super) const MAX_MODELS: usize = 1_000;

/// The members that say whether a provider is disabled: ours, and that of the founding system.
const DISABLED: [&str; 2] = ["disabled", "isDisabled"];
const MAX_IN_FLIGHT: &[&str] = &["max_in_flight", "concurrencyLimit"];
const EXCLUDED_MODELS: &[&str] = &["excluded_models", "notSupportedModels"];

/// For what a provider may be chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// What the store needs to know in order to choose.
    pub traits: Traits,
    /// Models that it serves; any where empty.
    pub models: Vec<String>,
}

impl Offer {
    /// Reads it from settings.
    #[must_use]
    pub fn of(settings: &Map<String, Value>) -> Self {
        let number = |names: &[&str], most: u64| {
            let said = first(settings, names).and_then(number)?;
            u32::try_from(said.min(most)).ok()
        };
        Self {
            traits: Traits {
                disabled: DISABLED.iter().any(|name| settings.get(*name).and_then(Value::as_bool) == Some(true)),
                weight: number(&["weight"], MAX_WEIGHT).unwrap_or(1).max(1),
                priority: number(&["priority"], MAX_NUMBER).unwrap_or(0),
                max_in_flight: number(MAX_IN_FLIGHT, MAX_NUMBER).unwrap_or(0),
                excluded_models: first(settings, EXCLUDED_MODELS).map(texts).unwrap_or_default(),
            },
            models: first(settings, &["models"]).map(texts).unwrap_or_default(),
        }
    }
}

/// The members of an object that can be read. Others, such as a number that is too large for every reader, are of somebody else,
/// and carried as they are. Absent where it is no object.
#[must_use]
pub fn readable(object: &str) -> Option<Map<String, Value>> {
    let members: BTreeMap<String, RawJson> = serde_json::from_str(object).ok()?;
    Some(members.into_iter().filter_map(|(name, text)| Some((name, text.read().ok()?))).collect())
}

/// The merge patch that disables a provider, or lets it be chosen again, in the spelling of its settings.
#[must_use]
pub fn disabling(settings: &Map<String, Value>, disabled: bool) -> Map<String, Value> {
    let mut said: Vec<&str> = DISABLED.into_iter().filter(|name| settings.contains_key(*name)).collect();
    if said.is_empty() && disabled {
        said.push(DISABLED[0]);
    }
    said.into_iter().map(|name| (name.to_owned(), Value::Bool(disabled))).collect()
}

/// The first of these members that is there and not null.
fn first<'a>(settings: &'a Map<String, Value>, names: &[&str]) -> Option<&'a Value> {
    names.iter().find_map(|name| settings.get(*name).filter(|value| !value.is_null()))
}

/// The founding system wrote some numbers as text.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn texts(list: &Value) -> Vec<String> {
    let names = list.as_array().into_iter().flatten().filter_map(Value::as_str).filter(|name| !name.is_empty());
    names.take(MAX_MODELS).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn offer(settings: Value) -> Offer {
        Offer::of(settings.as_object().unwrap())
    }

    #[test]
    fn both_spellings_offer_the_same() {
        let ours = json!({"disabled": true, "max_in_flight": 3, "excluded_models": ["x"]});
        let original = json!({"isDisabled": true, "concurrencyLimit": "3", "notSupportedModels": ["x"], "uuid": "u"});
        assert_eq!(offer(ours), offer(original.clone()));
        let traits = offer(original).traits;
        assert_eq!((traits.disabled, traits.max_in_flight, traits.excluded_models), (true, 3, vec!["x".to_owned()]));
    }

    #[test]
    fn what_makes_no_sense_is_as_if_it_were_not_there() {
        let odd = json!({"weight": 0, "priority": "soon", "max_in_flight": -1, "disabled": "yes", "models": "all",
            "excluded_models": null});
        assert_eq!(offer(odd), Offer::default());
        assert_eq!(offer(json!({"weight": 9_999_999})).traits.weight, 1_000);
    }

    #[test]
    fn a_member_that_nobody_can_read_hides_no_other() {
        let members = readable(r#"{"weight": 7, "theirs": {"n": 1e400}}"#).unwrap();
        assert_eq!(Value::Object(members), json!({"weight": 7}));
        assert_eq!(readable("[]"), None);
    }

    #[test]
    fn a_provider_is_disabled_in_the_spelling_that_it_has() {
        let patch = |settings: Value, disabled| Value::Object(disabling(settings.as_object().unwrap(), disabled));
        assert_eq!(patch(json!({}), true), json!({"disabled": true}));
        assert_eq!(patch(json!({"isDisabled": false}), true), json!({"isDisabled": true}));
        let both = json!({"isDisabled": true, "disabled": true});
        assert_eq!(patch(both, false), json!({"isDisabled": false, "disabled": false}));
        assert_eq!(patch(json!({}), false), json!({}), "it was not disabled");
    }
}
