//! What is configured about an upstream.

use secrecy::SecretString;
use url::Url;

/// What is configured about an upstream.
#[derive(Debug, Clone)]
pub struct OpenAiOptions {
    /// The address before `/chat/completions`.
    pub url: Url,
    /// The key, where the upstream wants one.
    pub key: Option<SecretString>,
    /// The model that is asked.
    pub model: String,
    /// What the model is told before each conversation.
    pub system_prompt: Option<String>,
    /// How long a connection may take, in milliseconds.
    pub connect_timeout_ms: u64,
    /// How long an answer may take, in milliseconds.
    pub answer_timeout_ms: u64,
    /// Most bytes of history that the upstream is sent; the newest messages count first.
    pub max_history_bytes: usize,
    /// Largest answer, in bytes as it is sent.
    pub max_answer_bytes: usize,
}

impl OpenAiOptions {
    /// The defaults: 5 s for a connection, two minutes for an answer, 512 KiB of history and 1 MiB an answer.
    #[must_use]
    pub fn new(url: Url, model: impl Into<String>) -> Self {
        Self {
            url,
            key: None,
            model: model.into(),
            system_prompt: None,
            connect_timeout_ms: 5_000,
            answer_timeout_ms: 120_000,
            max_history_bytes: 512 * 1_024,
            max_answer_bytes: 1_024 * 1_024,
        }
    }

    /// Where questions are sent.
    pub(super) fn endpoint(&self) -> Result<Url, InvalidUpstream> {
        if !matches!(self.url.scheme(), "http" | "https") || self.url.host().is_none() {
            return Err(InvalidUpstream("its address must begin with http:// or https://".into()));
        }
        if !self.url.username().is_empty() || self.url.password().is_some() {
            return Err(InvalidUpstream("its address must hold no password; give the key by itself".into()));
        }
        if self.model.trim().is_empty() {
            return Err(InvalidUpstream("it must be told which model to ask".into()));
        }
        let mut endpoint = self.url.clone();
        endpoint.set_fragment(None);
        let path = format!("{}/chat/completions", endpoint.path().trim_end_matches('/'));
        endpoint.set_path(&path);
        Ok(endpoint)
    }
}

/// What is wrong with an upstream, as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the agent's upstream: {0}")]
pub struct InvalidUpstream(pub(super) String);

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str) -> Result<String, InvalidUpstream> {
        OpenAiOptions::new(Url::parse(url).unwrap(), "small").endpoint().map(String::from)
    }

    #[test]
    fn questions_go_beneath_the_address_and_keep_its_query() {
        assert_eq!(endpoint("https://models.example/v1").unwrap(), "https://models.example/v1/chat/completions");
        assert_eq!(endpoint("https://models.example/v1/").unwrap(), "https://models.example/v1/chat/completions");
        assert_eq!(endpoint("http://127.0.0.1:8080").unwrap(), "http://127.0.0.1:8080/chat/completions");
        let with_query = endpoint("https://models.example/deployments/small?api-version=1").unwrap();
        assert_eq!(with_query, "https://models.example/deployments/small/chat/completions?api-version=1");
    }

    #[test]
    fn what_is_no_web_address_or_holds_a_password_is_refused() {
        assert!(endpoint("ftp://models.example/v1").is_err());
        assert!(endpoint("https://user:word@models.example/v1").is_err());
        let nameless = OpenAiOptions::new(Url::parse("https://models.example").unwrap(), " ");
        assert!(nameless.endpoint().is_err());
    }
}
