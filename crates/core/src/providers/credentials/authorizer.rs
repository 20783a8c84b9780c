//! What asks an authorization server, and how such a server is to be asked.

use super::parse::{Issued, TokenText};
use crate::error::{Error, Result};
use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use std::time::Duration;

/// How long an authorization server may take to answer, in milliseconds, where nothing is said.
const USUAL_TIMEOUT_MS: u64 = 15_000;
/// Bounds of that time, in milliseconds.
const TIMEOUT_MS: std::ops::RangeInclusive<u64> = 100..=60_000;
/// How long before its expiry a token is refreshed, in seconds, where nothing is said.
const USUAL_AHEAD_SECONDS: u64 = 20 * 60;
/// Longest time of that kind, in seconds.
const MAX_AHEAD_SECONDS: u64 = 30 * 24 * 60 * 60;

/// How what is asked is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// As a form (RFC 6749).
    #[default]
    Form,
    /// As JSON.
    Json,
}

/// Where the client says who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientAuth {
    /// In the body.
    #[default]
    Body,
    /// In the header `Authorization` (RFC 6749, section 2.3.1).
    Basic,
}

/// Names of the members of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct AnswerFields {
    /// Of the access token.
    pub access_token: String,
    /// Of the refresh token.
    pub refresh_token: String,
    /// Of the time in seconds until the access token expires.
    pub expires_in: String,
    /// Of the moment when it does, which is asked first.
    pub expires_at: Option<String>,
}

impl Default for AnswerFields {
    fn default() -> Self {
        Self {
            access_token: "access_token".into(),
            refresh_token: "refresh_token".into(),
            expires_in: "expires_in".into(),
            expires_at: None,
        }
    }
}

/// Names of the members of what is asked; what has an empty name is left out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RequestFields {
    /// Of the kind of grant.
    pub grant_type: String,
    /// Of the refresh token.
    pub refresh_token: String,
    /// Of the id of the client.
    pub client_id: String,
    /// Of the secret of the client.
    pub client_secret: String,
    /// Of the scope.
    pub scope: String,
}

impl Default for RequestFields {
    fn default() -> Self {
        let [grant_type, refresh_token, client_id, client_secret, scope] =
            ["grant_type", "refresh_token", "client_id", "client_secret", "scope"].map(str::to_owned);
        Self { grant_type, refresh_token, client_id, client_secret, scope }
    }
}

/// How the tokens of a provider are refreshed: the member `oauth` of its settings, of those of its pool, or of the
/// credential itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct OAuthClient {
    /// The address of the authorization server. `{{name}}` stands for a member of the credential, such as a region.
    pub token_url: String,
    /// The id of the client; that in the credential where absent.
    pub client_id: Option<String>,
    /// The secret of the client; that in the credential where absent.
    #[serde(deserialize_with = "secret")]
    pub client_secret: Option<SecretString>,
    /// How what is asked is written.
    pub style: Style,
    /// The kind of grant.
    pub grant: String,
    /// The scope to ask for.
    pub scope: Option<String>,
    /// Where the client says who it is.
    pub auth: ClientAuth,
    /// What the members of an answer are called.
    pub fields: AnswerFields,
    /// What the members of what is asked are called.
    pub request_fields: RequestFields,
    /// How long before its expiry a token is refreshed, in seconds.
    pub ahead_seconds: u64,
    /// How long the server may take to answer, in milliseconds.
    pub timeout_ms: u64,
}

impl Default for OAuthClient {
    fn default() -> Self {
        Self {
            token_url: String::new(),
            client_id: None,
            client_secret: None,
            style: Style::default(),
            grant: "refresh_token".into(),
            scope: None,
            auth: ClientAuth::default(),
            fields: AnswerFields::default(),
            request_fields: RequestFields::default(),
            ahead_seconds: USUAL_AHEAD_SECONDS,
            timeout_ms: USUAL_TIMEOUT_MS,
        }
    }
}

impl OAuthClient {
    /// Reads a client from its settings.
    ///
    /// # Errors
    /// `request.invalid`, naming what is wrong but no value that may be secret.
    pub fn parse(settings: &str) -> Result<Self> {
        let client: Self = serde_json::from_str(settings).map_err(|cause| {
            Error::invalid(format!("`oauth` cannot be read: {:?} at column {}", cause.classify(), cause.column()))
        })?;
        if client.token_url.is_empty() {
            return Err(Error::invalid("`oauth.token_url` is missing: the address of the authorization server"));
        }
        if !TIMEOUT_MS.contains(&client.timeout_ms) {
            return Err(Error::invalid(format!("`oauth.timeout_ms` is not between {TIMEOUT_MS:?}")));
        }
        if client.ahead_seconds > MAX_AHEAD_SECONDS {
            return Err(Error::invalid(format!("`oauth.ahead_seconds` is above {MAX_AHEAD_SECONDS}")));
        }
        Ok(client)
    }

    /// How long the server may take to answer.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// How long before its expiry a token is refreshed.
    #[must_use]
    pub fn ahead(&self) -> Duration {
        Duration::from_secs(self.ahead_seconds)
    }

    /// The client as this credential completes it: what is missing is taken from it, and places in the address are filled.
    ///
    /// # Errors
    /// `request.invalid`: the credential lacks a member that the address names, or has one that is no part of a name.
    pub fn completed(mut self, text: &TokenText) -> Result<Self> {
        let found = |names: [&str; 2]| names.into_iter().find_map(|name| text.member(name));
        self.client_id = self.client_id.or_else(|| found(["client_id", "clientId"]));
        self.client_secret =
            self.client_secret.or_else(|| found(["client_secret", "clientSecret"]).map(SecretString::from));
        while let Some((before, rest)) = self.token_url.split_once("{{") {
            let (name, after) =
                rest.split_once("}}").ok_or_else(|| Error::invalid("`oauth.token_url` has a `{{` without end"))?;
            // What a credential says must not lead to another server than the settings mean.
            let plain = |value: &String| value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            let value = text.member(name).filter(plain);
            let value = value.ok_or_else(|| {
                Error::invalid(format!("the credential has no member {name:?} for `oauth.token_url`"))
            })?;
            self.token_url = format!("{before}{value}{after}");
        }
        Ok(self)
    }
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(SecretString::from))
}

/// A refresh to ask for.
#[derive(Debug)]
pub struct RefreshRequest {
    /// How, and whom.
    pub client: OAuthClient,
    /// The refresh token.
    pub refresh_token: SecretString,
}

/// Why an authorization server gave nothing. The words are for people and hold no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefreshRefusal {
    /// It does not take the refresh token any more.
    InvalidGrant(String),
    /// It could not be asked, or could not answer: later it may.
    Transient {
        /// What happened.
        reason: String,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
        /// Whether it may have used the refresh token all the same.
        in_doubt: bool,
    },
    /// It does not know the client, or is not asked as it wants to be: the settings are wrong, not the credential.
    Misconfigured(String),
}

/// Asks authorization servers.
#[async_trait]
pub trait Authorizer: Send + Sync {
    /// Asks once for new tokens, within the time-out of the client. Follows no redirection and tries nothing again.
    async fn refresh(&self, request: &RefreshRequest) -> Result<Issued, RefreshRefusal>;
}

/// Asks nobody: for processes that refresh nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoAuthorizer;

#[async_trait]
impl Authorizer for NoAuthorizer {
    async fn refresh(&self, _request: &RefreshRequest) -> Result<Issued, RefreshRefusal> {
        Err(RefreshRefusal::Misconfigured("this process asks no authorization servers".into()))
    }
}
