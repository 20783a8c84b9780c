//! Connecting: the one place that knows single servers, Sentinels and clusters apart.

use crate::options::{Arrangement, Node, RedisOptions};
use mainstay_core::{Error, Result, api::Code};
use redis::aio::MultiplexedConnection;
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::io::tcp::TcpSettings;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisError,
    TlsCertificates, TlsMode,
};
use std::time::Duration;

/// An established connection.
#[derive(Clone)]
pub(crate) enum Wire {
    /// To one server: the only one, or the present master.
    Single(MultiplexedConnection),
    /// To a cluster.
    Cluster(ClusterConnection),
}

/// Where to connect, with everything read that can be read ahead.
pub(crate) struct Topology {
    options: RedisOptions,
    certificates: Option<TlsCertificates>,
    cluster: Option<ClusterClient>,
}

impl Topology {
    /// Reads TLS files and checks that the options fit together.
    pub fn new(options: RedisOptions) -> Result<Self> {
        let certificates = if options.tls { Some(certificates(&options)?) } else { None };
        let mut topology = Self { options, certificates, cluster: None };
        if topology.options.arrangement == Arrangement::Cluster {
            topology.cluster = Some(topology.cluster_client().map_err(misconfigured)?);
        }
        Ok(topology)
    }

    /// Connects for commands.
    pub async fn connect(&self) -> std::result::Result<Wire, RedisError> {
        match (&self.options.arrangement, &self.cluster) {
            (Arrangement::Cluster, Some(client)) => Ok(Wire::Cluster(client.get_async_connection().await?)),
            (Arrangement::Sentinel { .. }, _) => {
                let config = self.config();
                let mut sentinel = self.sentinel_client()?;
                Ok(Wire::Single(sentinel.get_async_connection_with_config(&config).await?))
            }
            _ => {
                let client = self.client(&self.options.nodes[0])?;
                Ok(Wire::Single(client.get_multiplexed_async_connection_with_config(&self.config()).await?))
            }
        }
    }

    /// Connects for subscriptions, on a connection of its own. In a cluster any node hears every message.
    pub async fn subscriber(&self) -> std::result::Result<redis::aio::PubSub, RedisError> {
        let limit = Duration::from_millis(self.options.connect_timeout_ms);
        if let Arrangement::Sentinel { .. } = self.options.arrangement {
            // A master that stands still is named by its Sentinels for a while yet, and accepts connections.
            let mut sentinel = self.sentinel_client()?;
            let connect = async { sentinel.async_get_client().await?.get_async_pubsub().await };
            return within(limit * 2, connect).await;
        }
        let mut failed = None;
        for node in &self.options.nodes {
            match within(limit, self.client(node)?.get_async_pubsub()).await {
                Ok(subscriber) => return Ok(subscriber),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(|| RedisError::from(std::io::Error::from(std::io::ErrorKind::NotConnected))))
    }

    fn config(&self) -> AsyncConnectionConfig {
        AsyncConnectionConfig::new()
            .set_connection_timeout(Some(Duration::from_millis(self.options.connect_timeout_ms)))
            .set_response_timeout(Some(Duration::from_millis(self.options.response_timeout_ms)))
    }

    fn client(&self, node: &Node) -> std::result::Result<Client, RedisError> {
        let info = self.info(self.address(node));
        match &self.certificates {
            Some(certificates) => Client::build_with_tls(info, certificates.clone()),
            None => Client::open(info),
        }
    }

    fn info(&self, address: ConnectionAddr) -> ConnectionInfo {
        let mut login = redis::RedisConnectionInfo::default().set_db(self.options.database);
        if let Some(username) = &self.options.username {
            login = login.set_username(username);
        }
        if let Some(password) = &self.options.password {
            login = login.set_password(password);
        }
        let unset = (String::from("localhost"), 6_379).into_connection_info();
        unset.map_or_else(
            |_| unreachable!("a host and a port are connection info"),
            |info| info.set_addr(address).set_tcp_settings(tcp_settings()).set_redis_settings(login),
        )
    }

    fn address(&self, node: &Node) -> ConnectionAddr {
        if self.options.tls {
            ConnectionAddr::TcpTls { host: node.host.clone(), port: node.port, insecure: false, tls_params: None }
        } else {
            ConnectionAddr::Tcp(node.host.clone(), node.port)
        }
    }

    fn cluster_client(&self) -> std::result::Result<ClusterClient, RedisError> {
        let nodes = self.options.nodes.iter().map(|node| self.info(self.address(node)));
        // Retries of the client would run a write twice when a link is cut after it ran.
        let mut builder = ClusterClientBuilder::new(nodes)
            .retries(0)
            .connection_timeout(Duration::from_millis(self.options.connect_timeout_ms))
            .response_timeout(Duration::from_millis(self.options.response_timeout_ms))
            .tcp_settings(tcp_settings());
        if let Some(username) = &self.options.username {
            builder = builder.username(username);
        }
        if let Some(password) = &self.options.password {
            builder = builder.password(password);
        }
        if let Some(certificates) = &self.certificates {
            builder = builder.tls(TlsMode::Secure).certs(certificates.clone());
        }
        builder.build()
    }

    fn sentinel_client(&self) -> std::result::Result<SentinelClient, RedisError> {
        let Arrangement::Sentinel { master } = &self.options.arrangement else {
            return Err(RedisError::from((redis::ErrorKind::InvalidClientConfig, "not a Sentinel URL")));
        };
        let sentinels = self.options.nodes.iter().map(|node| self.address(node));
        let mut builder = SentinelClientBuilder::new(sentinels, master, SentinelServerType::Master)?
            .set_client_to_redis_db(self.options.database)
            .set_client_to_redis_tcp_settings(tcp_settings())
            .set_client_to_sentinel_tcp_settings(tcp_settings());
        if let Some(username) = &self.options.username {
            builder = builder.set_client_to_redis_username(username);
        }
        if let Some(password) = &self.options.password {
            builder = builder.set_client_to_redis_password(password);
        }
        if let Some(username) = &self.options.sentinel_username {
            builder = builder.set_client_to_sentinel_username(username);
        }
        if let Some(password) = &self.options.sentinel_password {
            builder = builder.set_client_to_sentinel_password(password);
        }
        if let Some(certificates) = &self.certificates {
            builder = builder
                .set_client_to_redis_tls_mode(TlsMode::Secure)
                .set_client_to_redis_certificates(certificates.clone())
                .set_client_to_sentinel_certificates(certificates.clone());
        }
        builder.build()
    }
}

/// Bounds what has no time-out of its own.
pub(crate) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = std::result::Result<T, RedisError>>,
) -> std::result::Result<T, RedisError> {
    let late = |_| Err(RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut)));
    tokio::time::timeout(limit, work).await.unwrap_or_else(late)
}

/// No delay for small packets (off by default in redis-rs), and probes that find a dead peer.
fn tcp_settings() -> TcpSettings {
    let keepalive = socket2::TcpKeepalive::new()
        .with_time(Duration::from_secs(15))
        .with_interval(Duration::from_secs(5))
        .with_retries(3);
    TcpSettings::default().set_nodelay(true).set_keepalive(keepalive)
}

fn certificates(options: &RedisOptions) -> Result<TlsCertificates> {
    // Another part of the program may have chosen a provider already; that one is as good.
    let _already_chosen = rustls::crypto::ring::default_provider().install_default();
    let read = |path: &std::path::Path| {
        std::fs::read(path).map_err(|e| {
            Error::new(
                Code::SettingInvalid,
                format!("the TLS file {} cannot be read", path.display()),
                "Check the path and the permissions of the file.",
            )
            .internal(e.to_string())
        })
    };
    let files = &options.tls_files;
    let client_tls = match (&files.cert_file, &files.key_file) {
        (Some(cert), Some(key)) => Some(ClientTlsConfig { client_cert: read(cert)?, client_key: read(key)? }),
        (None, None) => None,
        _ => {
            return Err(Error::new(
                Code::SettingInvalid,
                "a TLS client certificate needs both its file and the file of its key",
                "Set both, or neither.",
            ));
        }
    };
    let root_cert = files.ca_file.as_deref().map(read).transpose()?;
    Ok(TlsCertificates { client_tls, root_cert })
}

fn misconfigured(error: RedisError) -> Error {
    Error::new(Code::SettingInvalid, "the settings of Redis cannot be used", "Check the URL and the TLS files.")
        .internal(error.to_string())
}
