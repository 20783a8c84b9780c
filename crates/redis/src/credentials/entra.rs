//! Tokens of Microsoft Entra ID: of a managed identity, or of an application with a secret. Redis is shown the object
//! id as the user and the token as the password.

use super::text;
use super::{CredentialSource, Credentials};
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mainstay_core::{Error, Result, api::Code};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use std::time::Duration;

/// Where a machine in Azure asks for the token of its identity.
pub const MANAGED_IDENTITY_ENDPOINT: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

/// What Azure calls its Redis.
const RESOURCE: &str = "https://redis.azure.com";
/// Version of the metadata service's interface.
const API_VERSION: &str = "2018-02-01";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// How a token is asked for.
#[derive(Debug, Clone)]
pub enum EntraGrant {
    /// As the machine's identity; the client id chooses one of several.
    ManagedIdentity {
        /// The client id of a user-assigned identity.
        client_id: Option<String>,
    },
    /// As an application that knows a secret.
    ClientSecret {
        /// The client id of the application.
        client_id: String,
        /// Its secret.
        client_secret: SecretString,
    },
}

/// Tokens of Entra ID.
pub struct EntraSource {
    endpoint: url::Url,
    grant: EntraGrant,
    username: Option<String>,
    client: reqwest::Client,
}

impl EntraSource {
    /// Tokens from an endpoint. The user is the object id that the token names, unless another is given.
    ///
    /// # Errors
    /// `settings.invalid`: the endpoint is not an `http` or `https` URL, or no TLS can be set up.
    pub fn new(endpoint: &str, grant: EntraGrant, username: Option<String>) -> Result<Self> {
        // Another part of the program may have chosen a provider already; that one is as good.
        let _already_chosen = rustls::crypto::ring::default_provider().install_default();
        let url = url::Url::parse(endpoint).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let endpoint = url.ok_or_else(|| invalid("the address of the tokens is not an http or https URL"))?;
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            // A token must not be asked of, and a secret not be shown to, whoever an answer names.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|cause| invalid("no client for the tokens can be made").internal(cause.to_string()))?;
        Ok(Self { endpoint, grant, username, client })
    }

    fn request(&self) -> reqwest::RequestBuilder {
        let mut url = self.endpoint.clone();
        match &self.grant {
            EntraGrant::ManagedIdentity { client_id } => {
                let mut query = url.query_pairs_mut();
                query.append_pair("api-version", API_VERSION).append_pair("resource", RESOURCE);
                if let Some(client_id) = client_id {
                    query.append_pair("client_id", client_id);
                }
                drop(query);
                self.client.get(url).header("Metadata", "true")
            }
            EntraGrant::ClientSecret { client_id, client_secret } => {
                let form = url::form_urlencoded::Serializer::new(String::new())
                    .append_pair("grant_type", "client_credentials")
                    .append_pair("client_id", client_id)
                    .append_pair("client_secret", client_secret.expose_secret())
                    .append_pair("scope", &format!("{RESOURCE}/.default"))
                    .finish();
                self.client.post(url).header("content-type", "application/x-www-form-urlencoded").body(form)
            }
        }
    }

    async fn answer(&self) -> Result<Map<String, Value>> {
        let failed = |why: String| {
            let detail = format!("{} gives no token for Redis", self.endpoint.host_str().unwrap_or("the endpoint"));
            let help = "Check MAINSTAY_REDIS_CREDENTIALS, the client id and its secret; the log has the answer.";
            Error::new(Code::StoreUnavailable, detail, help).internal(why)
        };
        // An error of the client names the whole URL, whose query has the client id but never the secret.
        let mut response = self.request().send().await.map_err(|cause| failed(cause.to_string()))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|cause| failed(cause.to_string()))? {
            body.extend_from_slice(&chunk);
            if u64::try_from(body.len()).unwrap_or(u64::MAX) > text::MAX_BYTES {
                return Err(failed("the answer is too long".into()));
            }
        }
        match serde_json::from_slice(&body) {
            Ok(Value::Object(answer)) if status.is_success() => Ok(answer),
            // What a refusal says of itself has no secret in it; anything else stays out of the log.
            Ok(Value::Object(answer)) => {
                let said = answer.get("error_description").or(answer.get("error")).and_then(Value::as_str);
                Err(failed(format!("{status}: {}", said.unwrap_or_default())))
            }
            _ => Err(failed(format!("{status}: the answer is not a JSON object"))),
        }
    }
}

#[async_trait]
impl CredentialSource for EntraSource {
    async fn fetch(&self) -> Result<Credentials> {
        let mut credentials = text::from_object(&self.answer().await?, "the endpoint of the tokens")?;
        let username = self.username.clone().or_else(|| object_id(credentials.password.expose_secret()));
        credentials.username = Some(username.ok_or_else(|| {
            let help = "Set MAINSTAY_REDIS_USERNAME to the object id that Redis knows.";
            Error::new(Code::StoreUnavailable, "the token for Redis names no object id", help)
        })?);
        Ok(credentials)
    }
}

/// The object id that a token names. It is read, not verified: only Redis decides what the token is worth.
fn object_id(token: &str) -> Option<String> {
    let payload = token.split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    claims.get("oid").and_then(Value::as_str).map(str::to_owned)
}

fn invalid(why: &str) -> Error {
    let help = "Write MAINSTAY_REDIS_CREDENTIALS=entra: for a managed identity, or entra:<URL of the token endpoint>.";
    Error::new(Code::SettingInvalid, why, help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_is_the_object_id_of_the_token() {
        let token = |claims: &str| format!("x.{}.y", URL_SAFE_NO_PAD.encode(claims));
        assert_eq!(object_id(&token(r#"{"oid":"7c9e","sub":"s"}"#)).as_deref(), Some("7c9e"));
        for bad in [token(r#"{"sub":"s"}"#), token("{"), "one.%%.three".into(), "one".into(), String::new()] {
            assert_eq!(object_id(&bad), None, "{bad}");
        }
    }

    #[test]
    fn an_endpoint_that_is_none_is_refused() {
        let grant = EntraGrant::ManagedIdentity { client_id: None };
        for bad in ["", "tokens.example", "file:///etc/passwd"] {
            let error = EntraSource::new(bad, grant.clone(), None).err().unwrap();
            assert_eq!(error.code(), Code::SettingInvalid, "{bad}");
        }
    }
}
