//! Settings: flags over environment over `mainstay.toml` over defaults, resolved into typed values before any work.

mod conversations;
mod file;
mod issuers;
mod layers;
mod read;
pub mod reference;
mod streams;
mod table;

pub use conversations::{AgentSettings, ConversationSettings};
pub use issuers::IssuerSettings;
pub use layers::{Found, Layers, Origin, Surroundings};
pub use read::is_loopback;
pub use table::Setting;

use mainstay_api::events::GroupName;
use mainstay_api::{Code, InstanceId, MessageType, Namespace, Problem};
use mainstay_core::events::{RoomRules, Streams};
use mainstay_core::outage::JournalBounds;
use mainstay_gateway::UsualTimeouts;
use read::Reader;
use secrecy::SecretString;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

/// Why settings are refused. Boxed: it is rare, and large.
pub type Refusal = Box<Problem>;

fn refusal(detail: impl Into<String>, help: impl Into<String>) -> Refusal {
    Box::new(Problem::new(Code::SettingInvalid, detail, help))
}

/// Everything that can be set, valid.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder for the embedded store and the owner key.
    pub data_dir: PathBuf,
    /// The URL of the store; may hold a password.
    pub store: Found,
    /// The server that commands talk to.
    pub url: Option<String>,
    /// The namespace.
    pub namespace: Namespace,
    /// Who the commands speak for.
    pub instance: Option<InstanceId>,
    /// The user of the operating system.
    pub user: Option<InstanceId>,
    /// The owner key, where it was given.
    pub owner_key: Option<String>,
    /// The credential of commands, where it was given.
    pub token: Option<SecretString>,
    /// The key ring, where it was given.
    pub keyring: Option<SecretString>,
    /// Sessions of users.
    pub sessions: SessionSettings,
    /// The second store that writes are repeated to.
    pub mirror: Option<String>,
    /// Whether the scripts of the original print what the first ones did.
    pub compat_stage_a: bool,
    /// How commands call.
    pub client: ClientSettings,
    /// The log.
    pub log: LogSettings,
    /// The server.
    pub server: ServerSettings,
    /// The gateway to providers of models.
    pub gateway: GatewaySettings,
    /// Who answers in chats.
    pub agent: AgentSettings,
    /// Conversations.
    pub conversations: ConversationSettings,
    /// Mail.
    pub mail: MailSettings,
    /// The audit trail.
    pub audit: AuditSettings,
    /// Presence.
    pub presence: PresenceSettings,
    /// Redis.
    pub redis: RedisSettings,
    /// Bounds of what a node keeps while its Redis is away.
    pub outage: JournalBounds,
    /// The consumer group of commands that name none.
    pub consumer_group: Option<GroupName>,
    /// Rooms of streams.
    pub rooms: RoomRules,
    /// The streams of events.
    pub streams: Arc<Streams>,
    /// Trusted issuers of tokens.
    pub issuers: IssuerSettings,
}

/// Sessions of users.
#[derive(Debug, Clone, Copy)]
pub struct SessionSettings {
    /// Minutes without use after which one ends.
    pub idle_minutes: u32,
    /// Days after which one ends in any case.
    pub max_days: u32,
}

/// How commands call.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// How long a call is repeated, in milliseconds.
    pub retry_for_ms: u64,
    /// How long a connection may take, in milliseconds.
    pub connect_timeout_ms: u64,
    /// How long an answer may take, in milliseconds.
    pub response_timeout_ms: u64,
    /// How often `agent run` beats, in milliseconds.
    pub beat_interval_ms: u64,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The log.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// What is logged; the command's own default when absent.
    pub filter: Option<tracing_subscriber::filter::Targets>,
    /// In which form.
    pub format: LogFormat,
}

/// The server.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Hosts that requests may name.
    pub allowed_hosts: Vec<String>,
    /// Origins that may call from a browser.
    pub allowed_origins: Vec<String>,
    /// Proxies that are believed who their client is.
    pub trusted_proxies: Vec<IpAddr>,
    /// Requests at once.
    pub max_in_flight: usize,
    /// Live streams and long polls at once.
    pub max_live: usize,
    /// How long a request may take, in milliseconds.
    pub request_timeout_ms: u64,
    /// Largest body, in bytes.
    pub max_body_bytes: usize,
    /// How long requests may go on after a stop, in milliseconds.
    pub shutdown_grace_ms: u64,
    /// The key of the HTTP bridge, where it was given.
    pub bridge_key: Option<SecretString>,
    /// Whether `/metrics` needs no credential.
    pub open_metrics: bool,
}

/// The gateway to providers of models.
#[derive(Debug, Clone)]
pub struct GatewaySettings {
    /// Largest body, in bytes.
    pub max_body_bytes: usize,
    /// The proxy where nothing else says one.
    pub proxy: Option<SecretString>,
    /// Time-outs where settings of a provider name none.
    pub timeouts: UsualTimeouts,
}

/// Mail.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// Types accepted besides the known ones.
    pub types: Vec<MessageType>,
    /// Days that a message is kept.
    pub retention_days: u32,
    /// Most messages in one inbox.
    pub max_inbox: u32,
    /// Most unacknowledged messages in one inbox.
    pub max_pending: u32,
    /// Most messages in one namespace.
    pub max_messages: u32,
}

/// The audit trail.
#[derive(Debug, Clone)]
pub struct AuditSettings {
    /// The key that signs checkpoints, where it was given.
    pub key: Option<SecretString>,
    /// The file of the checkpoints, where it was given.
    pub checkpoints: Option<PathBuf>,
    /// How often a checkpoint is made, in milliseconds.
    pub checkpoint_interval_ms: u64,
    /// Days that an entry is kept.
    pub retention_days: u32,
}

/// Presence.
#[derive(Debug, Clone)]
pub struct PresenceSettings {
    /// Minutes of silence after which an instance is inactive.
    pub timeout_minutes: u32,
    /// Hours of silence after which it is forgotten.
    pub gone_hours: u32,
    /// Most instances of one namespace.
    pub max_instances: u32,
}

/// Redis.
#[derive(Debug, Clone)]
pub struct RedisSettings {
    /// The login of the store; other URLs carry theirs.
    pub login: RedisLogin,
    /// What every key begins with.
    pub key_prefix: String,
    /// How long a connection may take, in milliseconds.
    pub connect_timeout_ms: u64,
    /// How long an answer may take, in milliseconds.
    pub response_timeout_ms: u64,
    /// Certificates to trust.
    pub ca_file: Option<PathBuf>,
    /// The client's certificate.
    pub cert_file: Option<PathBuf>,
    /// Its key.
    pub key_file: Option<PathBuf>,
    /// The name that the server's certificate must have.
    pub tls_server_name: Option<String>,
}

/// User and password of the store in Redis, where they are given apart from its URL.
#[derive(Debug, Clone, Default)]
pub struct RedisLogin {
    /// The ACL user.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<SecretString>,
    /// Where the password comes from while it is used.
    pub credentials: Option<String>,
    /// The client id of the application.
    pub entra_client_id: Option<String>,
    /// Its secret.
    pub entra_client_secret: Option<SecretString>,
}

impl Settings {
    /// Resolves every setting.
    ///
    /// # Errors
    /// `settings.invalid`, naming the setting, where it came from and what it may be.
    pub fn resolve(surroundings: Surroundings) -> Result<Self, Refusal> {
        let layers = Layers::read(surroundings)?;
        let read = Reader(&layers);
        let data_dir = read.data_dir()?;
        let settings = Self {
            store: read.store(&data_dir)?,
            data_dir,
            url: read.text(Setting::Url)?,
            namespace: read.parsed(Setting::Namespace)?.unwrap_or_default(),
            instance: read.parsed(Setting::Instance)?,
            user: read.user(),
            owner_key: read.text(Setting::OwnerKey)?,
            token: read.secret(Setting::Token)?,
            keyring: read.secret(Setting::Keyring)?,
            sessions: read.sessions()?,
            mirror: read.text(Setting::Mirror)?,
            compat_stage_a: read.compat_stage_a()?,
            client: read.client()?,
            log: read.log()?,
            server: read.server()?,
            gateway: read.gateway()?,
            agent: read.agent()?,
            conversations: read.conversations()?,
            mail: read.mail()?,
            audit: read.audit()?,
            presence: read.presence()?,
            redis: read.redis()?,
            outage: read.outage()?,
            consumer_group: read.parsed(Setting::ConsumerGroup)?,
            rooms: read.rooms()?,
            streams: streams::read(&layers)?,
            issuers: issuers::read(&layers)?,
        };
        read.check_key_stays_home(&settings)?;
        Ok(settings)
    }
}

#[cfg(test)]
mod tests;
