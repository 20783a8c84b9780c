//! Settings of conversations, and of the agent that answers in them.

use super::read::{Reader, invalid, is_loopback};
use super::{Origin, Refusal, Setting, refusal};
use mainstay_api::TenantId;
use mainstay_api::conversations::{MAX_TTL_MS, Retention, RetentionMode};
use secrecy::SecretString;
use std::collections::BTreeMap;
use url::Url;

/// Longest lifetime of a conversation, in seconds.
const MAX_TTL_SECONDS: u64 = MAX_TTL_MS / 1_000;

/// Conversations.
#[derive(Debug, Clone)]
pub struct ConversationSettings {
    /// How long a conversation is kept.
    pub retention: Retention,
    /// How long those of some tenants are kept.
    pub tenants: BTreeMap<TenantId, Retention>,
    /// Most messages of one conversation.
    pub max_messages: u64,
    /// Most bytes of messages of one conversation.
    pub max_bytes: u64,
    /// Largest message, in bytes.
    pub max_message_bytes: usize,
    /// Most conversations of one user.
    pub max_conversations: u32,
    /// Kinds of action that cards may use.
    pub card_actions: Vec<String>,
    /// Hosts whose addresses cards may submit.
    pub card_domains: Vec<String>,
}

/// Who answers in chats.
#[derive(Debug, Clone)]
pub struct AgentSettings {
    /// Where an upstream is asked; the built-in echo answers where absent.
    pub upstream: Option<UpstreamSettings>,
    /// How long an answer may take, in milliseconds.
    pub timeout_ms: u64,
    /// Most messages that the agent is given.
    pub max_history: u32,
}

/// An OpenAI-compatible upstream.
#[derive(Debug, Clone)]
pub struct UpstreamSettings {
    /// The address before `/chat/completions`.
    pub url: Url,
    /// The key.
    pub key: Option<SecretString>,
    /// The model.
    pub model: String,
    /// What the model is told before each conversation.
    pub system_prompt: Option<String>,
}

impl Reader<'_> {
    pub(super) fn conversations(&self) -> Result<ConversationSettings, Refusal> {
        let ttl_seconds: u64 = self.number(Setting::ConversationTtlSeconds, 1..=MAX_TTL_SECONDS)?;
        let mode = match self.0.find(Setting::ConversationRetention)? {
            Some(found) => mode(&found.text)
                .ok_or_else(|| invalid(Setting::ConversationRetention, &found, &"expected sliding or fixed"))?,
            None => RetentionMode::default(),
        };
        Ok(ConversationSettings {
            retention: Retention { mode, ttl_ms: ttl_seconds * 1_000 },
            tenants: self.0.conversation_tenants(),
            max_messages: self.number(Setting::ConversationMaxMessages, 1..=100_000_000)?,
            max_bytes: self.number(Setting::ConversationMaxBytes, 1_024..=1_000_000_000_000)?,
            max_message_bytes: self.number(Setting::ConversationMaxMessageBytes, 1_024..=16 * 1_024 * 1_024)?,
            max_conversations: self.number(Setting::ConversationMaxPerUser, 1..=1_000_000)?,
            card_actions: self.list(Setting::CardActions)?,
            card_domains: self.list(Setting::CardDomains)?.iter().map(|domain| domain.to_ascii_lowercase()).collect(),
        })
    }

    pub(super) fn agent(&self) -> Result<AgentSettings, Refusal> {
        let upstream = match self.0.find(Setting::Agent)? {
            Some(found) if found.text == "openai" => Some(self.upstream()?),
            Some(found) if found.text != "echo" => {
                return Err(invalid(Setting::Agent, &found, &"expected echo or openai"));
            }
            _ => None,
        };
        Ok(AgentSettings {
            upstream,
            timeout_ms: self.timeout_ms(Setting::AgentTimeoutMs)?,
            max_history: self.number(Setting::AgentMaxHistory, 1..=1_000)?,
        })
    }

    fn upstream(&self) -> Result<UpstreamSettings, Refusal> {
        let missing = || refusal("the agent has no address", "Set MAINSTAY_AGENT_URL.");
        let url: Url = self.parsed(Setting::AgentUrl)?.ok_or_else(missing)?;
        let key = self.0.find(Setting::AgentKey)?;
        let named_by_project = self.0.find(Setting::AgentUrl)?.is_some_and(|url| url.origin == Origin::ProjectFile);
        // A settings file that comes with a cloned repository must not have the user's key sent somewhere.
        if named_by_project && key.is_some() && !is_loopback(url.as_str()) {
            let detail =
                format!("the mainstay.toml of this directory names the agent {url}, which would be sent your key");
            return Err(refusal(detail, "If you trust it, name it yourself: set MAINSTAY_AGENT_URL."));
        }
        Ok(UpstreamSettings {
            url,
            key: key.map(|found| found.text.into()),
            model: self.text(Setting::AgentModel)?.unwrap_or_default(),
            system_prompt: self.text(Setting::AgentSystemPrompt)?,
        })
    }
}

/// Whether use prolongs, as it is written.
fn mode(text: &str) -> Option<RetentionMode> {
    match text {
        "sliding" => Some(RetentionMode::Sliding),
        "fixed" => Some(RetentionMode::Fixed),
        _ => None,
    }
}

/// The retention of one tenant, from its table `[conversations.tenants."<tenant>"]`.
///
/// # Errors
/// What is wrong with it.
pub(super) fn tenant_retention(tenant: &str, table: &toml::Table) -> Result<(TenantId, Retention), String> {
    let known = ["ttl_seconds", "retention"];
    if let Some(unknown) = table.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("there is no setting `{unknown}`; there are {}", known.join(" and ")));
    }
    let id = TenantId::parse(tenant).map_err(|broken| broken.to_string())?;
    let seconds =
        table.get("ttl_seconds").and_then(toml::Value::as_integer).and_then(|value| u64::try_from(value).ok());
    let seconds = seconds.filter(|seconds| (1..=MAX_TTL_SECONDS).contains(seconds));
    let seconds = seconds.ok_or_else(|| format!("ttl_seconds must be a number from 1 to {MAX_TTL_SECONDS}"))?;
    let mode = match table.get("retention") {
        None => RetentionMode::default(),
        Some(value) => value.as_str().and_then(mode).ok_or("retention must be sliding or fixed")?,
    };
    Ok((id, Retention { mode, ttl_ms: seconds * 1_000 }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Settings, Surroundings};

    fn resolve(environment: &[(&str, &str)], file: Option<&str>) -> Result<Settings, Refusal> {
        let dir = tempfile::tempdir().unwrap();
        if let Some(file) = file {
            std::fs::write(dir.path().join("mainstay.toml"), file).unwrap();
        }
        Settings::resolve(Surroundings {
            environment: environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            data_dir: Some("/data".into()),
            working_dir: Some(dir.path().into()),
            ..Surroundings::default()
        })
    }

    #[test]
    fn the_founders_variables_set_the_lifetime_in_seconds() {
        let days = |settings: Settings| settings.conversations.retention.ttl_ms / (24 * 60 * 60 * 1_000);
        assert_eq!(days(resolve(&[], None).unwrap()), 30);
        assert_eq!(days(resolve(&[("REDIS_TTL", "86400")], None).unwrap()), 1);
        assert_eq!(days(resolve(&[("CONVERSATION_TTL_SECONDS", "172800")], None).unwrap()), 2);
    }

    #[test]
    fn a_lifetime_that_is_no_number_refuses_the_start() {
        for broken in ["abc", "-1", "0", "1e3", "99999999999"] {
            let problem = resolve(&[("REDIS_TTL", broken)], None).unwrap_err();
            assert!(problem.detail.contains("MAINSTAY_CONVERSATION_TTL_SECONDS"), "{}", problem.detail);
        }
    }

    #[test]
    fn a_tenant_has_a_lifetime_of_its_own() {
        let file = "[conversations]\nretention = \"fixed\"\n[conversations.tenants.\"72f9.88\"]\nttl_seconds = 60\n";
        let settings = resolve(&[], Some(file)).unwrap().conversations;
        assert_eq!(settings.retention.mode, RetentionMode::Fixed);
        let tenant = &settings.tenants[&TenantId::parse("72f9.88").unwrap()];
        assert_eq!((tenant.mode, tenant.ttl_ms), (RetentionMode::Sliding, 60_000));
        for broken in ["ttl_seconds = 0", "retention = \"fixed\"", "ttl_seconds = 5\nttl = 6", "ttl_seconds = \"5\""] {
            let file = format!("[conversations.tenants.t]\n{broken}\n");
            let problem = resolve(&[], Some(&file)).unwrap_err();
            assert!(problem.detail.contains("conversations.tenants.t"), "{}", problem.detail);
        }
    }

    #[test]
    fn a_file_that_came_with_a_folder_cannot_have_the_key_sent_elsewhere() {
        let environment = [("MAINSTAY_AGENT", "openai"), ("OPENAI_API_KEY", "sk-secret")];
        let file = |url: &str| format!("[agent]\nurl = \"{url}\"\n");
        let problem = resolve(&environment, Some(&file("https://evil.example/v1"))).unwrap_err();
        assert!(!problem.detail.contains("sk-secret"));
        assert!(resolve(&environment, Some(&file("http://127.0.0.1:8080/v1"))).is_ok());
        assert!(resolve(&environment, None).is_ok());
    }
}
