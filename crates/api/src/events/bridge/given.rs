//! What a call of the bridge, or the payload of an event, says.

use crate::raw::RawJson;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Why something cannot be used: the rule that it breaks.
pub(super) type Result<T> = std::result::Result<T, String>;

/// The fields of an object, each as it was written.
pub(super) struct Given(BTreeMap<String, RawJson>);

impl Given {
    pub fn read(body: &[u8]) -> Result<Self> {
        serde_json::from_slice(body).map(Self).map_err(|cause| format!("it is no JSON object: {cause}"))
    }

    /// A field that is there and not null.
    pub fn find(&self, name: &str) -> Option<&RawJson> {
        self.0.get(name).filter(|value| value.as_str() != "null")
    }

    pub fn required(&self, name: &str) -> Result<&RawJson> {
        self.find(name).ok_or_else(|| format!("{name}: it is missing"))
    }

    pub fn object(&self, name: &str) -> Result<RawJson> {
        let value = self.required(name)?;
        if value.is_object() { Ok(value.clone()) } else { Err(format!("{name}: must be a JSON object")) }
    }

    pub fn parsed<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        self.required(name)?.read().map_err(|cause| format!("{name}: {cause}"))
    }

    /// An id: a text, or a number that stands for its text.
    pub fn id(&self, name: &str) -> Result<String> {
        id(self.required(name)?).ok_or_else(|| format!("{name}: must be a text that is not empty"))
    }

    /// A list of ids.
    pub fn ids(&self, name: &str) -> Result<Vec<String>> {
        let values: Vec<RawJson> = self.parsed(name)?;
        let ids: Option<Vec<String>> = values.iter().map(id).collect();
        ids.ok_or_else(|| format!("{name}: must be a list of texts that are not empty"))
    }

    /// An id that may be left out, be null or be empty.
    pub fn optional_id(&self, name: &str) -> Result<Option<String>> {
        match self.find(name) {
            None => Ok(None),
            Some(value) if value.as_str() == "\"\"" => Ok(None),
            Some(_) => self.id(name).map(Some),
        }
    }

    /// What callers may say besides, where it is said in a form that is known.
    pub fn known<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        self.find(name)?.read().ok()
    }

    /// Whether nothing is said but these.
    pub fn has_only(&self, names: &[&str]) -> bool {
        self.0.keys().all(|name| names.contains(&name.as_str()))
    }

    /// A field under either of its names: publishers write them in both cases.
    pub fn either(&self, snake: &str, camel: &str) -> Option<&RawJson> {
        self.find(snake).or_else(|| self.find(camel))
    }

    /// The whole, with what is not said filled in.
    pub fn with_defaults(mut self, defaults: &[(&str, &str)]) -> Result<RawJson> {
        for (name, value) in defaults {
            if self.find(name).is_none() {
                self.0.insert((*name).to_owned(), document(&serde_json::from_str::<serde_json::Value>(value).ok())?);
            }
        }
        document(&self.0)
    }
}

fn id(value: &RawJson) -> Option<String> {
    let text = value.read::<String>().or_else(|_| value.read::<u64>().map(|number| number.to_string()));
    text.ok().filter(|text| !text.is_empty())
}

/// A value as a document.
pub(super) fn document(value: &impl Serialize) -> Result<RawJson> {
    RawJson::of(value).map_err(|cause| cause.to_string())
}
