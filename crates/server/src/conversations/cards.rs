//! What cards may do.

use mainstay_core::api::Code;
use mainstay_core::{Error, Result};
use serde_json::{Map, Value};
use url::Url;

/// What every kind of action of an Adaptive Card begins with.
const ACTION_PREFIX: &str = "Action.";

/// What cards may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardRules {
    /// Kinds of action, such as `Action.Submit`.
    pub actions: Vec<String>,
    /// Hosts of web addresses that a card may submit, each with everything beneath it.
    pub domains: Vec<String>,
}

impl Default for CardRules {
    /// What the original allowed.
    fn default() -> Self {
        let list = |items: [&str; 2]| items.map(str::to_owned).to_vec();
        Self {
            actions: list(["Action.Submit", "Action.OpenUrl"]),
            domains: list(["copilot.microsoft.com", "microsoft.com"]),
        }
    }
}

impl CardRules {
    /// Refuses what names a kind of action or a web address that is not allowed, however deep.
    ///
    /// # Errors
    /// `conversations.card_refused`.
    pub(super) fn check(&self, submitted: &Map<String, Value>) -> Result<()> {
        submitted.values().try_for_each(|value| self.check_value(value))
    }

    /// The reader of JSON bounds the depth.
    fn check_value(&self, value: &Value) -> Result<()> {
        match value {
            Value::Object(members) => self.check(members),
            Value::Array(items) => items.iter().try_for_each(|item| self.check_value(item)),
            Value::String(text) => self.check_text(text),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }

    fn check_text(&self, text: &str) -> Result<()> {
        if text.starts_with(ACTION_PREFIX) && !self.actions.iter().any(|action| action == text) {
            return Err(refused(format!("cards may not use the action {text:?}"), &self.actions));
        }
        match Url::parse(text.trim()) {
            Ok(url) if url.has_host() && !self.allows(&url) => {
                let host = url.host_str().unwrap_or_default();
                Err(refused(format!("cards may not use addresses of {host:?} by {:?}", url.scheme()), &self.domains))
            }
            _ => Ok(()),
        }
    }

    fn allows(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let beneath = |domain: &String| {
            host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        url.scheme() == "https" && self.domains.iter().any(beneath)
    }
}

fn refused(detail: String, allowed: &[String]) -> Error {
    let help = "Let the card do something else, or allow it with MAINSTAY_CARD_ACTIONS or MAINSTAY_CARD_DOMAINS.";
    Error::new(Code::ConversationCardRefused, detail, help).valid_values(allowed.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn is_allowed(submitted: Value) -> bool {
        CardRules::default().check(submitted.as_object().unwrap()).is_ok()
    }

    #[test]
    fn only_listed_actions_pass_at_any_depth() {
        assert!(is_allowed(json!({"type": "Action.Submit", "choice": "red"})));
        assert!(!is_allowed(json!({"type": "Action.Execute"})));
        assert!(!is_allowed(json!({"a": [{"b": "Action.Http"}]})));
        assert!(is_allowed(json!({"note": "no Action.Execute here", "n": 7, "nothing": null})));
    }

    #[test]
    fn only_secure_addresses_of_listed_hosts_pass() {
        for url in ["https://microsoft.com/x", "https://learn.microsoft.com", "https://COPILOT.microsoft.com/a?b"] {
            assert!(is_allowed(json!({ "url": url })), "{url}");
        }
        let hostile = [
            "http://microsoft.com",
            "https://microsoft.com.evil.example",
            "https://evilmicrosoft.com",
            "https://microsoft.com@evil.example/",
            " https://evil.example",
            "HTTPS://evil.example",
            "ftp://microsoft.com/x",
        ];
        for url in hostile {
            assert!(!is_allowed(json!({ "deep": [url] })), "{url}");
        }
    }
}
