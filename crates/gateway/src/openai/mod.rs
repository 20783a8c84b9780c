//! An agent behind the chat completions of an OpenAI-compatible upstream.

mod answer;
mod options;
mod question;

pub use options::{InvalidUpstream, OpenAiOptions};

use crate::chain;
use answer::read_answer;
use async_trait::async_trait;
use mainstay_core::api::conversations::NewMessage;
use mainstay_core::conversations::{Agent, AgentError, Prompt};
use question::Question;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use secrecy::ExposeSecret;
use std::time::Duration;
use url::Url;

/// Longest part of an upstream's complaint that the log is told, in bytes.
const MAX_COMPLAINT_BYTES: usize = 1_000;

/// Asks an upstream, with the whole conversation each time: it keeps nothing between two calls.
#[derive(Debug, Clone)]
pub struct OpenAiAgent {
    client: Client,
    endpoint: Url,
    options: OpenAiOptions,
}

impl OpenAiAgent {
    /// An agent at this upstream. Connects with the first call.
    ///
    /// # Errors
    /// An address that cannot be asked, or a machine without certificates to trust.
    pub fn new(options: OpenAiOptions) -> Result<Self, InvalidUpstream> {
        let endpoint = options.endpoint()?;
        // The first in the process decides; all of them are this one.
        let _already_chosen = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(Duration::from_millis(options.connect_timeout_ms))
            .timeout(Duration::from_millis(options.answer_timeout_ms))
            .user_agent(concat!("mainstay/", env!("CARGO_PKG_VERSION")));
        if crate::is_loopback(&endpoint) {
            builder = builder.no_proxy();
        }
        let client =
            builder.build().map_err(|cause| InvalidUpstream(format!("it cannot be reached safely: {cause}")))?;
        Ok(Self { client, endpoint, options })
    }

    async fn ask(&self, question: &Question) -> Result<Response, AgentError> {
        let mut request = self.client.post(self.endpoint.clone()).json(question);
        if let Some(key) = &self.options.key {
            request = request.bearer_auth(key.expose_secret());
        }
        request.send().await.map_err(|cause| self.unreached(&cause))
    }

    /// The body of an answer, within its bound.
    async fn body(&self, mut response: Response, limit_bytes: usize) -> Result<Vec<u8>, AgentError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|cause| self.unreached(&cause))? {
            if body.len() + chunk.len() > limit_bytes {
                return Err(failed(
                    format!("the agent answers with more than {limit_bytes} bytes"),
                    format!("{} answers without end", self.endpoint),
                ));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn unreached(&self, cause: &reqwest::Error) -> AgentError {
        let internal = format!("{}: {}", self.endpoint, chain(cause));
        if cause.is_timeout() && !cause.is_connect() {
            let limit_ms = self.options.answer_timeout_ms;
            return failed(format!("the agent gave no answer within {limit_ms} ms"), internal);
        }
        if cause.is_connect() || cause.is_request() {
            return AgentError::Unavailable { detail: "the agent cannot be reached".into(), internal };
        }
        failed("the agent broke off its answer", internal)
    }

    /// What a status other than success means.
    fn refused(&self, status: StatusCode, complaint: &[u8]) -> AgentError {
        let complaint = &complaint[..complaint.len().min(MAX_COMPLAINT_BYTES)];
        let internal = format!("{} answers {status}: {}", self.endpoint, String::from_utf8_lossy(complaint));
        match status.as_u16() {
            401 | 403 => failed("the agent does not accept the key that is configured for it", internal),
            404 => failed("the agent has no such address or model", internal),
            413 => failed("the conversation is too long for the agent", internal),
            429 => AgentError::Unavailable { detail: "the agent is asked too much".into(), internal },
            502..=504 => AgentError::Unavailable { detail: "the agent is away".into(), internal },
            other => failed(format!("the agent answers with the status {other}"), internal),
        }
    }
}

#[async_trait]
impl Agent for OpenAiAgent {
    async fn answer(&self, prompt: Prompt) -> Result<Vec<NewMessage>, AgentError> {
        let question = Question::new(&self.options, &prompt);
        let response = self.ask(&question).await?;
        let status = response.status();
        if status != StatusCode::OK {
            let complaint = self.body(response, self.options.max_answer_bytes).await.unwrap_or_default();
            return Err(self.refused(status, &complaint));
        }
        let body = self.body(response, self.options.max_answer_bytes).await?;
        read_answer(&body).map(|message| vec![message])
    }
}

fn failed(detail: impl Into<String>, internal: impl Into<String>) -> AgentError {
    AgentError::Failed { detail: detail.into(), internal: internal.into() }
}
