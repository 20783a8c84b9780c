//! The settings to start with, from the variables of the founding system.

use crate::Credential;
use mainstay_api::events::TransportSettings;
use std::collections::BTreeMap;

/// Both spellings of the share of rooms: that of the documents, and that of the examples.
const PERCENTAGE: [&str; 2] = ["EVENT_TRANSPORT_REDIS_STREAMS_PERCENTAGE", "EVENT_TRANSPORT_REDIS_PERCENTAGE"];

/// What the environment says of publishing.
#[derive(Debug, Clone)]
pub struct Environment {
    /// How events are sent, until the store says otherwise.
    pub transport: TransportSettings,
    /// The bridge, where it may be used.
    pub bridge: Option<BridgeEnvironment>,
}

/// What the environment says of the bridge.
#[derive(Debug, Clone)]
pub struct BridgeEnvironment {
    /// Its address.
    pub url: String,
    /// Its key.
    pub key: Credential,
    /// How long an answer may take, in milliseconds.
    pub timeout_ms: u64,
    /// How long a call that failed is repeated, in milliseconds: half a second for each repetition that is allowed.
    pub retry_for_ms: u64,
}

/// A variable that is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {rule}")]
pub struct InvalidEnvironment {
    /// The variable.
    pub variable: String,
    /// The rule that its value breaks.
    pub rule: String,
}

type Result<T> = std::result::Result<T, InvalidEnvironment>;

impl Environment {
    /// Reads the variables of this process.
    ///
    /// # Errors
    /// The first variable that is not valid.
    pub fn of_process() -> Result<Self> {
        let text = |name: std::ffi::OsString| name.into_string().ok();
        Self::of(&std::env::vars_os().filter_map(|(k, v)| Some((text(k)?, text(v)?))).collect())
    }

    /// Reads variables: `EVENT_TRANSPORT_USE_REDIS_STREAMS`, `…_REDIS_STREAMS_PERCENTAGE` (or `…_REDIS_PERCENTAGE`),
    /// `…_FALLBACK_TO_HTTP`, `…_DUAL_WRITE`, `…_PUBLISH_TIMEOUT_MS`, and `SIGNALR_INTERNAL_URL`, `…_INTERNAL_API_KEY`,
    /// `…_ENABLED`, `…_TIMEOUT_SECONDS`, `…_RETRY_COUNT`. One that is empty counts as not set.
    ///
    /// # Errors
    /// The first variable that is not valid.
    pub fn of(variables: &BTreeMap<String, String>) -> Result<Self> {
        let read = Variables(variables);
        let usual = TransportSettings::default();
        let transport = TransportSettings {
            use_streams: read.flag("EVENT_TRANSPORT_USE_REDIS_STREAMS", usual.use_streams)?,
            percentage: read.percentage()?.unwrap_or(usual.percentage),
            dual_write: read.flag("EVENT_TRANSPORT_DUAL_WRITE", usual.dual_write)?,
            fallback: read.flag("EVENT_TRANSPORT_FALLBACK_TO_HTTP", usual.fallback)?,
            publish_timeout_ms: read.number(
                "EVENT_TRANSPORT_PUBLISH_TIMEOUT_MS",
                (10, 5_000),
                usual.publish_timeout_ms,
            )?,
        };
        let key = read.find("SIGNALR_INTERNAL_API_KEY");
        let bridge = match (read.flag("SIGNALR_ENABLED", true)?, key) {
            (true, Some(key)) => Some(BridgeEnvironment {
                url: read.find("SIGNALR_INTERNAL_URL").unwrap_or("http://signalr-service:5000").to_owned(),
                key: Credential::new(key),
                timeout_ms: u64::from(read.number("SIGNALR_TIMEOUT_SECONDS", (1, 3_600), 10)?) * 1_000,
                retry_for_ms: u64::from(read.number("SIGNALR_RETRY_COUNT", (0, 100), 3)?) * 500,
            }),
            _ => None,
        };
        Ok(Self { transport, bridge })
    }
}

struct Variables<'a>(&'a BTreeMap<String, String>);

impl Variables<'_> {
    fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    fn flag(&self, name: &str, usual: bool) -> Result<bool> {
        match self.find(name).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(usual),
            Some("true" | "1" | "yes" | "on") => Ok(true),
            Some("false" | "0" | "no" | "off") => Ok(false),
            Some(other) => Err(invalid(name, format!("{other:?} is not true or false"))),
        }
    }

    fn number(&self, name: &str, (least, most): (u32, u32), usual: u32) -> Result<u32> {
        let Some(text) = self.find(name) else { return Ok(usual) };
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| invalid(name, format!("{text:?} is not a number from {least} to {most}")))
    }

    fn percentage(&self) -> Result<Option<u8>> {
        let [documented, other] = PERCENTAGE;
        let read = |name: &str| -> Result<Option<u8>> {
            if self.find(name).is_none() {
                return Ok(None);
            }
            self.number(name, (0, 100), 0).map(|number| u8::try_from(number).ok())
        };
        match (read(documented)?, read(other)?) {
            (Some(one), Some(two)) if one != two => {
                Err(invalid(documented, format!("it says {one}, and {other} says {two}; keep one of them")))
            }
            (one, two) => Ok(one.or(two)),
        }
    }
}

fn invalid(variable: &str, rule: String) -> InvalidEnvironment {
    InvalidEnvironment { variable: variable.to_owned(), rule }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Environment> {
        Environment::of(&variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn nothing_set_is_the_bridge_as_before() {
        let environment = of(&[("SIGNALR_INTERNAL_API_KEY", "k"), ("EVENT_TRANSPORT_DUAL_WRITE", "")]).unwrap();
        assert_eq!(environment.transport, TransportSettings::default());
        let bridge = environment.bridge.unwrap();
        assert_eq!((bridge.timeout_ms, bridge.retry_for_ms), (10_000, 1_500));
        assert!(of(&[]).unwrap().bridge.is_none());
        assert!(of(&[("SIGNALR_INTERNAL_API_KEY", "k"), ("SIGNALR_ENABLED", "False")]).unwrap().bridge.is_none());
    }

    #[test]
    fn both_spellings_of_the_share_are_understood_unless_they_disagree() {
        for name in PERCENTAGE {
            assert_eq!(of(&[(name, "25")]).unwrap().transport.percentage, 25, "{name}");
        }
        assert!(of(&[(PERCENTAGE[0], "25"), (PERCENTAGE[1], "25")]).is_ok());
        assert!(of(&[(PERCENTAGE[0], "25"), (PERCENTAGE[1], "50")]).unwrap_err().rule.contains("keep one"));
    }

    #[test]
    fn what_is_not_valid_is_named() {
        for (name, value) in [
            ("EVENT_TRANSPORT_USE_REDIS_STREAMS", "maybe"),
            ("EVENT_TRANSPORT_REDIS_PERCENTAGE", "101"),
            ("EVENT_TRANSPORT_PUBLISH_TIMEOUT_MS", "9"),
        ] {
            assert_eq!(of(&[(name, value)]).unwrap_err().variable, name);
        }
    }
}
