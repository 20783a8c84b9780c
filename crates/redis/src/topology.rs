//! Connecting: the one place that knows single servers, Sentinels and clusters apart.

use crate::credentials::{LiveCredentials, Login, Provider};
use crate::options::{Arrangement, Node, RedisOptions};
use crate::tls::{self, Renamed};
use mainstay_core::{Error, Result, api::Code};
use redis::aio::{AsyncPushSender, MultiplexedConnection};
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::io::tcp::TcpSettings;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, RedisError,
    TlsCertificates, TlsMode,
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
        let certificates = if options.tls { Some(tls::certificates(&options)?) } else { None };
        tls::check_server_name(&options)?;
        let mut topology = Self { options, certificates, live, cluster: None };
        if topology.options.arrangement == Arrangement::Cluster && topology.renamed().is_none() {
            topology.cluster = Some(topology.cluster_builder().build().map_err(misconfigured)?);
        }
        Ok(topology)
    }

    /// Connects for commands.
    pub async fn connect(&self) -> std::result::Result<Wire, RedisError> {
        let manner = Manner { login: self.login().await?, protocol: ProtocolVersion::RESP2 };
        if let Some(client) = &self.cluster {
            return Ok(Wire::Cluster(client.get_async_connection().await?));
        }
        if let (Arrangement::Cluster, Some(renamed)) = (&self.options.arrangement, self.renamed()) {
            let client = self.renamed_cluster(renamed, &manner).await?;
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
        let config = self.config().set_push_sender(heard);
        let manner = Manner { login: self.login().await?, protocol: ProtocolVersion::RESP3 };
        self.any_node(&manner, &config).await
    }

    /// Connects for commands that wait at the server for so long at most, on a connection of its own. Not for clusters.
    pub async fn blocking(&self, at_most: Duration) -> std::result::Result<MultiplexedConnection, RedisError> {
        let answer = Duration::from_millis(self.options.response_timeout_ms);
        let config = self.config().set_response_timeout(Some(at_most + answer));
        let manner = Manner { login: self.login().await?, protocol: ProtocolVersion::RESP2 };
        self.any_node(&manner, &config).await
    }

    /// Whether it is a cluster.
    pub fn is_cluster(&self) -> bool {
        self.options.arrangement == Arrangement::Cluster
    }

    /// Logs in on a connection of its own, to find out whether the server takes it.
    pub async fn try_login(&self, login: &Login) -> std::result::Result<(), RedisError> {
        let manner = Manner { login: Some(login.clone()), protocol: ProtocolVersion::RESP2 };
        self.any_node(&manner, &self.plain_config()).await.map(drop)
    }

    /// Connects to the only server, to the present master, or to the first node of a cluster that answers.
    async fn any_node(
        &self,
        manner: &Manner,
        config: &AsyncConnectionConfig,
    ) -> std::result::Result<MultiplexedConnection, RedisError> {
        let limit = Duration::from_millis(self.options.connect_timeout_ms);
        if let Arrangement::Sentinel { .. } = self.options.arrangement {
            // A master that stands still is named by its Sentinels for a while yet, and accepts connections.
            let connect =
                async { self.master(manner).await?.get_multiplexed_async_connection_with_config(config).await };
            return within(limit * 2, connect).await;
        }
        let mut failed = None;
        for node in &self.options.nodes {
            let client = self.client(node, manner)?;
            match within(limit, client.get_multiplexed_async_connection_with_config(config)).await {
                Ok(connection) => return Ok(connection),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(|| RedisError::from(std::io::Error::from(std::io::ErrorKind::NotConnected))))
    }

    /// A client of the only server or of the present master.
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
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(Duration::from_millis(self.options.connect_timeout_ms)))
            .set_response_timeout(Some(Duration::from_millis(self.options.response_timeout_ms)));
        match self.renamed() {
            Some(renamed) => config.set_dns_resolver(renamed),
            None => config,
        }
    }

    fn renamed(&self) -> Option<Renamed> {
        Renamed::of(&self.options)
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
            let host = self.options.tls_server_name.as_ref().unwrap_or(&node.host).clone();
            ConnectionAddr::TcpTls { host, port: node.port, insecure: false, tls_params: None }
        } else {
            ConnectionAddr::Tcp(node.host.clone(), node.port)
        }
    }

    fn cluster_builder(&self) -> ClusterClientBuilder {
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
        builder
    }

    /// A cluster whose certificates have one name, while its nodes announce addresses. What it announces later is not
    /// known by that name: the connection then breaks, and the next one looks again.
    async fn renamed_cluster(
        &self,
        renamed: Renamed,
        manner: &Manner,
    ) -> std::result::Result<ClusterClient, RedisError> {
        let mut connection = self.any_node(manner, &self.plain_config()).await?;
        let slots = redis::cmd("CLUSTER").arg("SLOTS").query_async::<redis::Value>(&mut connection).await?;
        let (names, renamed) = renamed.with_announced(&tls::announced(slots, &self.options.nodes[0])?)?;
        self.cluster_builder().node_address_map(names).async_dns_resolver(renamed).build()
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

fn misconfigured(error: RedisError) -> Error {
    Error::new(Code::SettingInvalid, "the settings of Redis cannot be used", "Check the URL and the TLS files.")
        .internal(error.to_string())
}
