//! Fetching what an issuer publishes, within bounds.

use super::config::{InvalidIssuer, IssuerConfig, KeyOrigin, TENANT_PLACE, TenantRule, is_loopback, may_be_fetched};
use super::issuer::IssuerName;
use super::keys::KeySet;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};
use serde::Deserialize;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// Largest document, in bytes.
const MAX_DOCUMENT_BYTES: usize = 1_024 * 1_024;
/// Longest time for one document, in milliseconds.
const TIMEOUT_MS: u64 = 5_000;

/// What an issuer publishes.
pub(super) struct Published {
    /// What its tokens say in `iss`.
    pub name: IssuerName,
    pub keys: KeySet,
}

/// Reads what one issuer publishes.
pub(super) struct Fetch {
    source: Source,
    /// The name that was configured. A discovery document that says another is not of this issuer.
    name: Option<String>,
    /// Whether tokens name their tenant, which a name for many tenants needs.
    names_tenant: bool,
}

enum Source {
    Discovery { client: Client, url: Url },
    Url { client: Client, url: Url },
    File(PathBuf),
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl Fetch {
    /// Prepares to read what the configured issuer publishes; nothing where its keys are a secret.
    pub fn new(config: &IssuerConfig) -> Result<Option<Self>, InvalidIssuer> {
        let source = match &config.keys {
            KeyOrigin::Secret(_) => return Ok(None),
            KeyOrigin::File(path) => Source::File(path.clone()),
            KeyOrigin::Discovery(url) => Source::Discovery { client: client(config, url)?, url: url.clone() },
            KeyOrigin::Url(url) => Source::Url { client: client(config, url)?, url: url.clone() },
        };
        let names_tenant = matches!(config.tenant, TenantRule::Claim { .. });
        Ok(Some(Self { source, name: config.issuer.clone(), names_tenant }))
    }

    /// Whether the keys lie on this machine, where to look again costs nothing.
    pub fn is_local(&self) -> bool {
        matches!(self.source, Source::File(_))
    }

    /// Reads the keys, and the name where it is not configured.
    ///
    /// # Errors
    /// What went wrong, for the log.
    pub async fn published(&self) -> Result<Published, String> {
        let (name, keys) = match &self.source {
            Source::File(path) => (None, read_file(path.clone()).await?),
            Source::Url { client, url } => (None, get(client, url).await?),
            Source::Discovery { client, url } => {
                let (name, keys) = self.discover(client, url).await?;
                (Some(name), get(client, &keys).await?)
            }
        };
        let name = self.name.clone().or(name).ok_or("the issuer has no name")?;
        Ok(Published { name: IssuerName::parse(name), keys: KeySet::parse(&keys)? })
    }

    /// The name of the issuer and the address of its keys, as its document says.
    async fn discover(&self, client: &Client, url: &Url) -> Result<(String, Url), String> {
        let text = get(client, url).await?;
        let document: Discovery =
            serde_json::from_slice(&text).map_err(|cause| format!("{url} is no discovery document: {cause}"))?;
        if let Some(name) = self.name.as_ref().filter(|name| **name != document.issuer) {
            let other = &document.issuer;
            let hint = if other.contains(TENANT_PLACE) { "; leave `issuer` out to accept the pattern" } else { "" };
            return Err(format!("{url} is the document of {other:?}, but the issuer is configured as {name:?}{hint}"));
        }
        if document.issuer.contains(TENANT_PLACE) && !self.names_tenant {
            return Err(format!("{url} is of an issuer of many tenants, which needs `tenants`, not a fixed `tenant`"));
        }
        let keys =
            Url::parse(&document.jwks_uri).map_err(|cause| format!("{url} names keys at no address: {cause}"))?;
        // What a public issuer publishes must not make this server ask its own machine.
        let reachable = may_be_fetched(&keys) && (keys.scheme() == "https" || url.scheme() == "http");
        if !reachable {
            return Err(format!("{url} names keys at {keys}, which is not an https address"));
        }
        Ok((document.issuer, keys))
    }
}

fn client(config: &IssuerConfig, url: &Url) -> Result<Client, InvalidIssuer> {
    let broken = |rule: String| InvalidIssuer { name: config.name.clone(), rule };
    // The first in the process decides; all of them are this one.
    let _already_chosen = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .redirect(Policy::none())
        .timeout(Duration::from_millis(TIMEOUT_MS))
        .user_agent(concat!("mainstay/", env!("CARGO_PKG_VERSION")));
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    if url.scheme() == "http" {
        // Certificates are not needed then, and a machine may have none.
        builder = builder.tls_certs_only([]);
    }
    if let Some(path) = &config.ca_file {
        let pem = read_bounded(path).map_err(|cause| broken(format!("`ca_file`: {cause}")))?;
        let authorities = Certificate::from_pem_bundle(&pem)
            .map_err(|cause| broken(format!("`ca_file`: {} holds no certificates: {cause}", path.display())))?;
        builder = builder.tls_certs_only(authorities);
    }
    builder.build().map_err(|cause| {
        broken(format!("this machine has no certificates to trust ({cause}); name some with `ca_file`"))
    })
}

async fn get(client: &Client, url: &Url) -> Result<Vec<u8>, String> {
    let failed = |cause: reqwest::Error| format!("{url} does not answer: {}", chain(&cause));
    let mut answer = client.get(url.clone()).header("accept", "application/json").send().await.map_err(failed)?;
    if answer.status() != http::StatusCode::OK {
        return Err(format!("{url} answers {}", answer.status()));
    }
    let mut text = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        if text.len() + chunk.len() > MAX_DOCUMENT_BYTES {
            return Err(format!("{url} answers with more than {MAX_DOCUMENT_BYTES} bytes"));
        }
        text.extend_from_slice(&chunk);
    }
    Ok(text)
}

/// An error with its causes: the outermost one says little.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source()).take(8);
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

async fn read_file(path: PathBuf) -> Result<Vec<u8>, String> {
    let read = tokio::task::spawn_blocking(move || read_bounded(&path)).await;
    read.map_err(|cause| cause.to_string())?
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let limit = MAX_DOCUMENT_BYTES as u64 + 1;
    let read = std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut text));
    match read {
        Ok(length) if length <= MAX_DOCUMENT_BYTES => Ok(text),
        Ok(_) => Err(format!("{} has more than {MAX_DOCUMENT_BYTES} bytes", path.display())),
        Err(cause) => Err(format!("{} cannot be read: {cause}", path.display())),
    }
}
