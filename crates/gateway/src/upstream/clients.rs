//! Connections to upstreams, shared by all that are reached the same way.

use super::target::Way;
use reqwest::redirect::Policy;
use reqwest::tls::{Certificate, Identity};
use reqwest::{Client, Proxy};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Most ways that connections are kept open for.
const MAX_WAYS: usize = 256;
/// How long a connection that nobody uses stays open: shorter than upstreams usually keep them.
const IDLE_CONNECTION: Duration = Duration::from_secs(30);
/// Idle connections that are kept to one host.
const MAX_IDLE_CONNECTIONS: usize = 256;

/// Clients by the way on which they reach upstreams.
#[derive(Default)]
pub(crate) struct Clients(Mutex<HashMap<Way, Client>>);

impl Clients {
    /// The client for this way; made where there is none.
    ///
    /// # Errors
    /// In words, without a secret: a proxy or a certificate that cannot be.
    pub fn of(&self, way: &Way) -> Result<Client, String> {
        if let Some(client) = self.clients().get(way) {
            return Ok(client.clone());
        }
        // Certificates take long to read, and requests on other ways need not wait for that.
        let client = made(way)?;
        let mut clients = self.clients();
        if let Some(first) = clients.get(way) {
            // Of two that were made at once the first one counts, so that all share its connections.
            return Ok(first.clone());
        }
        if clients.len() >= MAX_WAYS {
            // Requests under way keep their client; the others connect anew.
            clients.clear();
        }
        clients.insert(way.clone(), client.clone());
        Ok(client)
    }

    fn clients(&self) -> MutexGuard<'_, HashMap<Way, Client>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn made(way: &Way) -> Result<Client, String> {
    // The first in the process decides; all of them are this one.
    let _already_chosen = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .redirect(Policy::none())
        .connect_timeout(way.connect_timeout)
        .pool_idle_timeout(IDLE_CONNECTION)
        .pool_max_idle_per_host(MAX_IDLE_CONNECTIONS)
        .tcp_nodelay(true)
        .tcp_keepalive(Duration::from_secs(30))
        .http2_adaptive_window(true)
        // Only the settings say who stands in between, not the environment of this process.
        .no_proxy();
    if let Some(proxy) = &way.proxy {
        // What is wrong with it may hold its password.
        builder = builder.proxy(Proxy::all(proxy.as_str()).map_err(|_| "its proxy is no address that can be used")?);
    }
    if let Some(ca) = &way.ca {
        let certificates = Certificate::from_pem_bundle(ca.as_bytes()).unwrap_or_default();
        if certificates.is_empty() {
            return Err("its `ca` holds no certificates as PEM".into());
        }
        builder = builder.tls_certs_only(certificates);
    }
    if let Some(identity) = &way.identity {
        let identity = Identity::from_pem(identity.as_bytes())
            .map_err(|_| "its client certificate is no certificate and key as PEM")?;
        builder = builder.identity(identity);
    }
    builder.build().map_err(|cause| format!("it cannot be reached safely: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_said_without_its_secrets() {
        let clients = Clients::default();
        assert!(clients.of(&Way::default()).is_ok());
        let proxy = |proxy: &str| clients.of(&Way { proxy: Some(proxy.into()), ..Way::default() });
        for good in ["http://user:hidden@10.0.0.1:3128", "https://10.0.0.1", "socks5://10.0.0.1:1080"] {
            assert!(proxy(good).is_ok(), "{good}");
        }
        assert!(!proxy("http://user:hidden@:x").unwrap_err().contains("hidden"));
        assert!(clients.of(&Way { ca: Some("hidden".into()), ..Way::default() }).is_err());
        assert!(clients.of(&Way { identity: Some("hidden".into()), ..Way::default() }).is_err());
    }
}
