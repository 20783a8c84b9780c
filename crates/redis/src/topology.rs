//! Connecting: the one place that knows single servers, Sentinels and clusters apart.

use crate::credentials::{LiveCredentials, Login, Provider};
use crate::options::{Arrangement, Node, RedisOptions};
use mainstay_core::{Error, Result, api::Code};
use redis::aio::{AsyncPushSender, MultiplexedConnection};
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::io::tcp::TcpSettings;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    ProtocolVersion, RedisError, TlsCertificates, TlsMode,
};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
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
    live: Option<Arc<LiveCredentials>>,
    cluster: Option<ClusterClient>,
}

/// How to speak over a connection, and as whom.
struct Manner {
    login: Option<Login>,
    protocol: ProtocolVersion,
}

impl Topology {
    /// Reads TLS files and checks that the options fit together.
    pub fn new(options: RedisOptions, live: Option<Arc<LiveCredentials>>) -> Result<Self> {
        let certificates = if options.tls { Some(certificates(&options)?) } else { None };
        let mut topology = Self { options, certificates, live, cluster: None };
        if topology.options.arrangement == Arrangement::Cluster {
            topology.cluster = Some(topology.cluster_client().map_err(misconfigured)?);
        }
        Ok(topology)
    }

    /// Connects for commands.
    pub async fn connect(&self) -> std::result::Result<Wire, RedisError> {
        let manner = Manner { login: self.login().await?, protocol: ProtocolVersion::RESP2 };
        if let (Arrangement::Cluster, Some(client)) = (&self.options.arrangement, &self.cluster) {
            return Ok(Wire::Cluster(client.get_async_connection().await?));
        }
        let client = self.master(&manner).await?;
        Ok(Wire::Single(client.get_multiplexed_async_connection_with_config(&self.config()).await?))
    }

    /// Connects for subscriptions, on a connection of its own. In a cluster any node hears every message. The newer
    /// protocol is what allows it to log in again while it listens.
    pub async fn subscriber(
        &self,
        heard: impl AsyncPushSender,
    ) -> std::result::Result<MultiplexedConnection, RedisError> {
        let limit = Duration::from_millis(self.options.connect_timeout_ms);
        let config = self.config().set_push_sender(heard);
        let manner = Manner { login: self.login().await?, protocol: ProtocolVersion::RESP3 };
        if let Arrangement::Sentinel { .. } = self.options.arrangement {
            // A master that stands still is named by its Sentinels for a while yet, and accepts connections.
            let connect =
                async { self.master(&manner).await?.get_multiplexed_async_connection_with_config(&config).await };
            return within(limit * 2, connect).await;
        }
        let mut failed = None;
        for node in &self.options.nodes {
            let client = self.client(node, &manner)?;
            match within(limit, client.get_multiplexed_async_connection_with_config(&config)).await {
                Ok(subscriber) => return Ok(subscriber),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(|| RedisError::from(std::io::Error::from(std::io::ErrorKind::NotConnected))))
    }

    /// Logs in on a connection of its own, to find out whether the server takes it.
    pub async fn try_login(&self, login: &Login) -> std::result::Result<(), RedisError> {
        let limit = Duration::from_millis(self.options.connect_timeout_ms) * 2;
        let manner = Manner { login: Some(login.clone()), protocol: ProtocolVersion::RESP2 };
        let connect = async {
            let client = self.master(&manner).await?;
            client.get_multiplexed_async_connection_with_config(&self.plain_config()).await
        };
        within(limit, connect).await.map(drop)
    }

    /// A client of the only server or of the present master; in a cluster, of the first node.
    async fn master(&self, manner: &Manner) -> std::result::Result<Client, RedisError> {
        match self.options.arrangement {
            Arrangement::Sentinel { .. } => self.sentinel_client(manner)?.async_get_client().await,
            _ => self.client(&self.options.nodes[0], manner),
        }
    }

    /// As whom to log in now.
    async fn login(&self) -> std::result::Result<Option<Login>, RedisError> {
        if let Some(live) = &self.live {
            return live.login().await.map(Some);
        }
        let username = self.options.username.clone();
        let password = self.options.password.clone().map(SecretString::from);
        Ok(password.map(|password| Login { username, password }))
    }

    /// With the credentials that change, where there are such.
    fn config(&self) -> AsyncConnectionConfig {
        match &self.live {
            Some(live) => self.plain_config().set_credentials_provider(Provider(Arc::clone(live))),
            None => self.plain_config(),
        }
    }

    fn plain_config(&self) -> AsyncConnectionConfig {
        AsyncConnectionConfig::new()
            .set_connection_timeout(Some(Duration::from_millis(self.options.connect_timeout_ms)))
            .set_response_timeout(Some(Duration::from_millis(self.options.response_timeout_ms)))
    }

    fn client(&self, node: &Node, manner: &Manner) -> std::result::Result<Client, RedisError> {
        let info = self.info(self.address(node), manner);
        match &self.certificates {
            Some(certificates) => Client::build_with_tls(info, certificates.clone()),
            None => Client::open(info),
        }
    }

    fn info(&self, address: ConnectionAddr, manner: &Manner) -> ConnectionInfo {
        let mut redis = redis::RedisConnectionInfo::default();
        redis = redis.set_db(self.options.database).set_protocol(manner.protocol);
        if let Some(login) = &manner.login {
            redis = redis.set_password(login.password.expose_secret());
            if let Some(username) = &login.username {
                redis = redis.set_username(username);
            }
        }
        let unset = (String::from("localhost"), 6_379).into_connection_info();
        unset.map_or_else(
            |_| unreachable!("a host and a port are connection info"),
            |info| info.set_addr(address).set_tcp_settings(tcp_settings()).set_redis_settings(redis),
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
        let nobody = Manner { login: None, protocol: ProtocolVersion::RESP2 };
        let nodes = self.options.nodes.iter().map(|node| self.info(self.address(node), &nobody));
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
        if let Some(live) = &self.live {
            builder = builder.set_credentials_provider(Provider(Arc::clone(live)));
        }
        if let Some(certificates) = &self.certificates {
            builder = builder.tls(TlsMode::Secure).certs(certificates.clone());
        }
        builder.build()
    }

    fn sentinel_client(&self, manner: &Manner) -> std::result::Result<SentinelClient, RedisError> {
        let Arrangement::Sentinel { master } = &self.options.arrangement else {
            return Err(RedisError::from((redis::ErrorKind::InvalidClientConfig, "not a Sentinel URL")));
        };
        let sentinels = self.options.nodes.iter().map(|node| self.address(node));
        let mut builder = SentinelClientBuilder::new(sentinels, master, SentinelServerType::Master)?
            .set_client_to_redis_db(self.options.database)
            .set_client_to_redis_protocol(manner.protocol)
            .set_client_to_redis_tcp_settings(tcp_settings())
            .set_client_to_sentinel_tcp_settings(tcp_settings());
        if let Some(login) = &manner.login {
            builder = builder.set_client_to_redis_password(login.password.expose_secret());
            if let Some(username) = &login.username {
                builder = builder.set_client_to_redis_username(username);
            }
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
