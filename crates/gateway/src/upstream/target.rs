//! An upstream, as its settings describe it.

use crate::Protocol;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::time::Duration;
use url::Url;

/// The version of Anthropic's interface that is named where a client names none.
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// What an upstream speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// One of the protocols that are understood here.
    Protocol(Protocol),
    /// Anything: paths and bodies pass as they are.
    Anything,
}

/// How an upstream is reached. Upstreams with equal ways share connections.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Way {
    /// A proxy: `http`, `https` or `socks5`, with its user and password in the URL.
    pub proxy: Option<String>,
    /// Certificates to trust instead of the machine's, as PEM.
    pub ca: Option<String>,
    /// A certificate to show with its key, as PEM.
    pub identity: Option<String>,
    /// How long a connection may take.
    pub connect_timeout: Duration,
}

/// What is done to the headers of every request.
#[derive(Debug, Clone, Default)]
pub struct HeaderRules {
    /// Headers to set.
    pub add: Vec<(HeaderName, HeaderValue)>,
    /// Headers of the client to leave out.
    pub remove: Vec<HeaderName>,
}

/// An upstream.
#[derive(Debug, Clone)]
pub struct Target {
    /// What it speaks.
    pub speaks: Speaks,
    /// Where it is.
    pub base_url: Url,
    /// Its key; where there is none, the access token of its credential is its bearer.
    pub key: Option<SecretString>,
    /// The header that takes the key of an upstream that speaks anything, and what stands before the key.
    pub key_header: (HeaderName, String),
    /// What is done to headers.
    pub headers: HeaderRules,
    /// How it is reached.
    pub way: Way,
    /// How long it may take until the first byte of its answer.
    pub first_byte_timeout: Duration,
    /// How long it may be silent within its answer.
    pub idle_timeout: Duration,
    /// What models are called there, by the name that clients know.
    pub model_map: BTreeMap<String, String>,
}

/// What is asked of an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// An answer, as a stream or whole.
    Generate { stream: bool },
    /// How many tokens a request is.
    CountTokens,
    /// Embeddings.
    Embed,
    /// Several embeddings at once.
    EmbedMany,
}

impl Target {
    /// The address of a call of one of the protocols. Where the base says a version already, none is added.
    pub(crate) fn address(&self, protocol: Protocol, call: Call, model: &str) -> Url {
        let path = match (protocol, call) {
            (Protocol::OpenAi, Call::Embed | Call::EmbedMany) => "/embeddings".to_owned(),
            (Protocol::OpenAi, _) => "/chat/completions".to_owned(),
            (Protocol::Responses, Call::CountTokens) => "/responses/input_tokens".to_owned(),
            (Protocol::Responses, _) => "/responses".to_owned(),
            (Protocol::Anthropic, Call::CountTokens) => "/messages/count_tokens".to_owned(),
            (Protocol::Anthropic, _) => "/messages".to_owned(),
            (Protocol::Gemini, call) => format!("/models/{}:{}", encoded(model), gemini_verb(call)),
        };
        let version = if protocol == Protocol::Gemini { "/v1beta" } else { "/v1" };
        let base = self.base_url.path().trim_end_matches('/');
        // OpenAI's clients write the version into the address, and other providers have addresses without any.
        let has_version = match protocol {
            Protocol::OpenAi | Protocol::Responses => !base.is_empty(),
            Protocol::Anthropic | Protocol::Gemini => {
                base.rsplit('/').next().is_some_and(|last| last.starts_with('v') && last[1..].starts_with(digit))
            }
        };
        let version = if has_version { "" } else { version };
        let mut address = self.base_url.clone();
        address.set_path(&format!("{base}{version}{path}"));
        address
    }

    /// The address of a path behind the base, which passes as the client wrote it.
    pub(crate) fn beneath(&self, path: &str, query: Option<&str>) -> Url {
        let base = self.base_url.path().trim_end_matches('/');
        let mut address = self.base_url.clone();
        address.set_path(&format!("{base}/{}", path.trim_start_matches('/')));
        address.set_query(query);
        address
    }

    /// Sets what its settings and its protocol ask for, and who asks.
    pub(crate) fn dress(&self, headers: &mut HeaderMap, token: Option<&SecretString>) {
        if let Some((name, value)) = self.expected_headers() {
            headers.entry(name).or_insert(value);
        }
        for (name, value) in self.headers.add.iter().cloned().chain(self.credentials(token)) {
            headers.insert(name, value);
        }
    }

    /// The headers that say who asks: with the upstream's own key, or with the access token of its credential.
    pub(crate) fn credentials(&self, token: Option<&SecretString>) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = Vec::with_capacity(2);
        let bearer = |token: &SecretString| secret(&format!("Bearer {}", token.expose_secret()));
        let own = match self.speaks {
            Speaks::Protocol(Protocol::Anthropic) => HeaderName::from_static("x-api-key"),
            Speaks::Protocol(Protocol::Gemini) => HeaderName::from_static("x-goog-api-key"),
            Speaks::Protocol(_) => AUTHORIZATION,
            Speaks::Anything => self.key_header.0.clone(),
        };
        let value = match (&self.key, token) {
            (Some(key), _) if self.speaks == Speaks::Anything => {
                secret(&format!("{}{}", self.key_header.1, key.expose_secret())).map(|value| (own, value))
            }
            (Some(key), _) if own == AUTHORIZATION => bearer(key).map(|value| (own, value)),
            (Some(key), _) => secret(key.expose_secret()).map(|value| (own, value)),
            (None, Some(token)) => bearer(token).map(|value| (AUTHORIZATION, value)),
            (None, None) => None,
        };
        headers.extend(value);
        headers
    }

    /// Headers that the protocol of the upstream asks for, for clients of another one.
    fn expected_headers(&self) -> Option<(HeaderName, HeaderValue)> {
        let anthropic = self.speaks == Speaks::Protocol(Protocol::Anthropic);
        let version = || (HeaderName::from_static("anthropic-version"), HeaderValue::from_static(ANTHROPIC_VERSION));
        anthropic.then(version)
    }
}

const fn gemini_verb(call: Call) -> &'static str {
    match call {
        Call::Generate { stream: true } => "streamGenerateContent",
        Call::Generate { stream: false } => "generateContent",
        Call::CountTokens => "countTokens",
        Call::Embed => "embedContent",
        Call::EmbedMany => "batchEmbedContents",
    }
}

fn digit(character: char) -> bool {
    character.is_ascii_digit()
}

/// A model's name is one segment of a path, whatever a client calls it.
fn encoded(model: &str) -> String {
    percent_encoding::utf8_percent_encode(model, percent_encoding::NON_ALPHANUMERIC)
        .to_string()
        .replace("%2D", "-")
        .replace("%2E", ".")
        .replace("%5F", "_")
}

/// A header that no log shows; nothing where a key holds what no header can.
fn secret(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn target(protocol: Protocol, base: &str) -> Target {
        Target {
            speaks: Speaks::Protocol(protocol),
            base_url: base.parse().unwrap(),
            key: Some("k".into()),
            key_header: (AUTHORIZATION, "Bearer ".into()),
            headers: HeaderRules::default(),
            way: Way::default(),
            first_byte_timeout: Duration::from_secs(1),
            idle_timeout: Duration::from_secs(1),
            model_map: BTreeMap::new(),
        }
    }

    #[test]
    fn a_base_with_or_without_its_version_leads_to_the_same_address() {
        let whole = Call::Generate { stream: false };
        for (protocol, base, expected) in [
            (Protocol::OpenAi, "https://a.example", "https://a.example/v1/chat/completions"),
            (Protocol::OpenAi, "https://a.example/v1/", "https://a.example/v1/chat/completions"),
            (Protocol::OpenAi, "https://a.example/openai", "https://a.example/openai/chat/completions"),
            (Protocol::Responses, "https://a.example/v1", "https://a.example/v1/responses"),
            (Protocol::Anthropic, "https://a.example", "https://a.example/v1/messages"),
            (Protocol::Anthropic, "https://a.example/v1", "https://a.example/v1/messages"),
            (Protocol::Anthropic, "https://a.example/vx", "https://a.example/vx/v1/messages"),
            (Protocol::Gemini, "https://a.example/", "https://a.example/v1beta/models/m%2F..%3Fx-1:generateContent"),
            (Protocol::Gemini, "https://a.example/v1", "https://a.example/v1/models/m%2F..%3Fx-1:generateContent"),
        ] {
            assert_eq!(target(protocol, base).address(protocol, whole, "m/..?x-1").as_str(), expected);
        }
    }

    #[test]
    fn each_protocol_has_its_own_header_for_a_key_and_one_for_tokens() {
        let shown = |protocol, token: Option<&str>| {
            let mut target = target(protocol, "https://a.example");
            if token.is_some() {
                target.key = None;
            }
            let token = token.map(SecretString::from);
            let (name, value) = target.credentials(token.as_ref()).remove(0);
            assert!(value.is_sensitive());
            format!("{name}: {}", value.to_str().unwrap())
        };
        assert_eq!(shown(Protocol::OpenAi, None), "authorization: Bearer k");
        assert_eq!(shown(Protocol::Anthropic, None), "x-api-key: k");
        assert_eq!(shown(Protocol::Gemini, None), "x-goog-api-key: k");
        assert_eq!(shown(Protocol::Gemini, Some("t")), "authorization: Bearer t");
    }
}
