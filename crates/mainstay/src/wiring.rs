//! From settings to a running backbone: the store behind its ports, the services on it, the router over them, and
//! the client of a command. The only file that names both stores.

use crate::chats;
use crate::coordination::mirror::{FolderMirror, LateMirror, OpenMirror};
use crate::coordination::source::Place;
use crate::failure::{Failure, Result};
use crate::notary;
use crate::outlasting::Outlasting;
use crate::settings::{
    AuditSettings, Found, GatewaySettings, MailSettings, Origin, PresenceSettings, RedisLogin, Settings, is_loopback,
};
use crate::{keyring, owner_key, redis_store, session_file};
use futures::future::BoxFuture;
use mainstay_api::{Code, InstanceId};
use mainstay_client::{Client, ClientOptions, Credential};
use mainstay_core::audit::AuditRules;
use mainstay_core::documents::DocumentRules;
use mainstay_core::identity::IdentityRules;
use mainstay_core::mail::{InboxLimits, MailMirror, MailRules, MailService, MirroredMail, StoreMirror};
use mainstay_core::outage::OutlastingDocuments;
use mainstay_core::presence::PresenceRules;
use mainstay_core::providers::ProviderRules;
use mainstay_core::providers::credentials::TokenRules;
use mainstay_core::providers::keys::KeyRules;
use mainstay_core::secrets::KeyRing;
use mainstay_core::{RandomMint, Stores, SystemClock};
use mainstay_gateway::HttpAuthorizer;
use mainstay_gateway::serving::GatewayRules;
use mainstay_redis::RedisOptions;
use mainstay_server::identity::tokens::TokenVerifier;
use mainstay_server::{Anchoring, BridgeKey, GatewaySetup, OwnerKey, ServerConfig, ServiceRules, Services};
use secrecy::ExposeSecret;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long what a command has begun may take to be told to the store.
const CLOSE_WITHIN: Duration = Duration::from_secs(10);
const MINUTE_MS: i64 = 60 * 1_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The services on an open store.
pub struct Backbone {
    /// What the server serves.
    pub services: Arc<Services>,
    /// Cancelled when everything is to end.
    pub shutdown: CancellationToken,
    mirror: Option<Arc<LateMirror>>,
    outlasting: Option<Outlasting>,
    /// The documents where they outlast an absence of the store.
    pub documents: Option<Arc<OutlastingDocuments>>,
}

/// A client, and the backbone in this process where it has no server.
pub struct Connection {
    /// The client.
    pub client: Client,
    backbone: Option<Backbone>,
}

impl Backbone {
    /// Opens the store that the settings name, and none other.
    ///
    /// # Errors
    /// `settings.invalid` where the URL names no store; those of the store.
    pub async fn open(settings: &Settings) -> Result<Self> {
        let kind = kind_of(settings, &settings.store)?;
        let outlasting = match &kind {
            StoreKind::Redis(_) => Outlasting::find(settings).await?,
            StoreKind::Sqlite(_) => None,
        };
        Self::on(settings, kind.open().await?, outlasting, None)
    }

    /// Opens the same for a server: one that goes on, as far as it can, while its Redis is away. It starts without it only where
    /// this node has a copy to go on with.
    ///
    /// # Errors
    /// Those of [`open`](Self::open); those of the disk.
    pub async fn open_to_serve(settings: &Settings) -> Result<Self> {
        let mut kind = kind_of(settings, &settings.store)?;
        let StoreKind::Redis(options) = &mut kind else { return Self::open(settings).await };
        let outlasting = Outlasting::open(settings).await?;
        options.may_be_away = outlasting.has_copies().await?;
        let mut stores = kind.open().await?;
        let documents = outlasting.attach(&mut stores, audit_rules(&settings.audit)).await?;
        Self::on(settings, stores, Some(outlasting), Some(documents))
    }

    fn on(
        settings: &Settings,
        mut stores: Stores,
        outlasting: Option<Outlasting>,
        documents: Option<Arc<OutlastingDocuments>>,
    ) -> Result<Self> {
        let mirror = match &settings.mirror {
            Some(mirror) => attach_mirror(settings, mirror, &mut stores)?,
            None => None,
        };
        let ring = keyring::find(settings)?;
        let rules = ServiceRules {
            audit: audit_rules(&settings.audit),
            notary: notary::of(settings, &stores.info),
            agent: chats::agent(&settings.agent)?,
            chat: chats::chat_rules(&settings.agent),
            conversations: chats::conversation_rules(&settings.conversations),
            documents: DocumentRules { ring: ring.clone(), ..DocumentRules::default() },
            gateway_keys: KeyRules { ring: ring.clone(), ..KeyRules::default() },
            identity: identity_rules(settings, ring.clone()),
            mail: mail_rules(&settings.mail),
            outage: outlasting.as_ref().map(|outlasting| Arc::clone(&outlasting.outage)),
            presence: presence_rules(&settings.presence),
            providers: ProviderRules { ring: ring.clone(), ..ProviderRules::default() },
            rooms: settings.rooms,
            streams: Arc::clone(&settings.streams),
            tokens: TokenRules { ring: ring.clone(), ..TokenRules::default() },
            authorizer: Arc::new(HttpAuthorizer::new(Arc::new(SystemClock))),
            clock: Arc::new(SystemClock),
            mint: Arc::new(RandomMint),
        };
        let gateway = gateway_setup(&settings.gateway, ring);
        let services = Arc::new(Services::new(&stores, rules).open_gateway(&stores, gateway));
        Ok(Self { services, shutdown: CancellationToken::new(), mirror, outlasting, documents })
    }

    /// Ends everything, as a command does.
    pub async fn close(&self) {
        self.close_within(CLOSE_WITHIN).await;
    }

    /// Ends everything: live readers, what the store has still to be told, for which there is this time, then the store. Calling it
    /// twice does no harm.
    pub async fn close_within(&self, within: Duration) {
        self.shutdown.cancel();
        self.services.close(within).await;
        if let Some(documents) = &self.documents {
            documents.finish().await;
        }
        self.services.probe.close().await;
        if let Some(mirror) = &self.mirror {
            mirror.close().await;
        }
        if let Some(outlasting) = &self.outlasting {
            outlasting.close().await;
        }
    }
}

impl Connection {
    /// Connects to the server that the settings name, else to a router of this process on the store.
    ///
    /// # Errors
    /// Those of [`Backbone::open`]; `settings.invalid`.
    pub async fn open(settings: &Settings, instance: Option<InstanceId>) -> Result<Self> {
        let options = ClientOptions {
            credential: None,
            instance,
            namespace: Some(settings.namespace.clone()),
            retry_for_ms: settings.client.retry_for_ms,
            connect_timeout_ms: settings.client.connect_timeout_ms,
            response_timeout_ms: settings.client.response_timeout_ms,
            ..ClientOptions::default()
        };
        match &settings.url {
            Some(url) => {
                let credential = credential_for(settings, url)?;
                let client = Client::connect(url, ClientOptions { credential, ..options })?;
                Ok(Self { client, backbone: None })
            }
            None => {
                let credential = given_credential(settings)?.map(Credential::new);
                Self::in_process(settings, ClientOptions { credential, ..options }).await
            }
        }
    }

    /// Connects to another store, whatever server and mirror the settings name.
    ///
    /// # Errors
    /// Those of [`Backbone::open`].
    pub async fn to_store(settings: &Settings, url: &str) -> Result<Self> {
        let other = Settings {
            store: Found { text: url.into(), origin: Origin::Flag },
            url: None,
            mirror: None,
            ..without_login(settings)
        };
        let options = ClientOptions { namespace: Some(settings.namespace.clone()), ..ClientOptions::default() };
        Self::in_process(&other, options).await
    }

    async fn in_process(settings: &Settings, options: ClientOptions) -> Result<Self> {
        let backbone = Backbone::open(settings).await?;
        let client = client_of(&backbone.services, settings, options, backbone.shutdown.clone())?;
        Ok(Self { client, backbone: Some(backbone) })
    }

    /// Ends what was opened.
    pub async fn close(&self) {
        if let Some(backbone) = &self.backbone {
            backbone.close().await;
        }
    }
}

/// A client of services in this process: with the credential of the options, else as the owner.
///
/// # Errors
/// Where the machine gives no random bytes.
pub fn client_of(
    services: &Arc<Services>,
    settings: &Settings,
    options: ClientOptions,
    shutdown: CancellationToken,
) -> Result<Client> {
    // Only this process can call its own router: the key of the moment need not be the owner's.
    let key = owner_key::generate()?;
    let config = server_config(settings, &key);
    // A credential may be the token of an issuer; the owner needs none of them.
    let tokens = if options.credential.is_some() { token_verifier(settings)? } else { None };
    let config = ServerConfig { tokens, ..config };
    let service = mainstay_server::in_process(mainstay_server::router(Arc::clone(services), &config, shutdown));
    let options = ClientOptions { credential: options.credential.or_else(|| Some(Credential::new(key))), ..options };
    Ok(Client::in_process(service, options))
}

/// The configuration of the server.
#[must_use]
pub fn server_config(settings: &Settings, owner_key: &str) -> ServerConfig {
    let server = &settings.server;
    ServerConfig {
        allowed_hosts: server.allowed_hosts.clone(),
        allowed_origins: server.allowed_origins.clone(),
        trusted_proxies: server.trusted_proxies.clone(),
        max_in_flight: server.max_in_flight,
        max_live: server.max_live,
        request_timeout_ms: server.request_timeout_ms,
        max_body_bytes: server.max_body_bytes,
        max_gateway_body_bytes: settings.gateway.max_body_bytes,
        open_metrics: server.open_metrics,
        bridge_key: server.bridge_key.as_ref().map(|key| BridgeKey::new(key.expose_secret())),
        cards: chats::card_rules(&settings.conversations),
        version: env!("CARGO_PKG_VERSION").into(),
        ..ServerConfig::new(OwnerKey::new(owner_key))
    }
}

/// What checks the tokens of the trusted issuers; nothing where none is trusted.
///
/// # Errors
/// `settings.invalid`: an issuer cannot be, or is named by a file that came with the working directory.
pub fn token_verifier(settings: &Settings) -> Result<Option<Arc<TokenVerifier>>> {
    let issuers = &settings.issuers;
    if issuers.configs.is_empty() {
        return Ok(None);
    }
    if issuers.by_project_file {
        let detail = "the mainstay.toml of this directory names issuers whose tokens would open this server";
        let help = "If you trust it, name it yourself: give --config mainstay.toml, or set MAINSTAY_CONFIG.";
        return Err(Failure::new(Code::SettingInvalid, detail, help));
    }
    for issuer in &issuers.configs {
        tracing::info!(issuer = issuer.name.as_str(), tenants = %issuer.tenant, "tokens of an issuer are accepted");
    }
    let verifier = TokenVerifier::new(issuers.configs.clone(), Arc::new(SystemClock)).map_err(|broken| {
        Failure::new(
            Code::SettingInvalid,
            broken.to_string(),
            "Correct this issuer in mainstay.toml or the environment.",
        )
    })?;
    Ok(Some(Arc::new(verifier)))
}

/// The credential that a command was given, or has from an earlier login: one that is not the owner's.
///
/// # Errors
/// The kept session cannot be read.
pub fn given_credential(settings: &Settings) -> Result<Option<String>> {
    match (&settings.token, &settings.owner_key) {
        (Some(token), _) => Ok(Some(token.expose_secret().to_owned())),
        (None, Some(_)) => Ok(None),
        (None, None) => session_file::find(settings),
    }
}

/// The credential for the server at an address: the one that was given, else the owner key where it is for that server.
///
/// # Errors
/// The kept session, or the key, cannot be read.
pub fn credential_for(settings: &Settings, url: &str) -> Result<Option<Credential>> {
    let given = given_credential(settings)?;
    let credential = given.map_or_else(|| key_for(settings, url), |token| Ok(Some(token)))?;
    Ok(credential.map(Credential::new))
}

/// The key in this user's data folder is for this machine's server; another machine's has another key, and is not
/// shown this one.
fn key_for(settings: &Settings, url: &str) -> Result<Option<String>> {
    if is_loopback(url) { owner_key::find(settings) } else { Ok(settings.owner_key.clone()) }
}

/// Repeats every write of mail to a second store, or, for the configured namespace, to a folder of the original. What
/// is no URL of a store fails here; a store that is away does not.
fn attach_mirror(settings: &Settings, url: &str, stores: &mut Stores) -> Result<Option<Arc<LateMirror>>> {
    if let Place::Folder(folder) = Place::parse(url)? {
        let mirror = Arc::new(FolderMirror::new(folder, settings.namespace.clone()));
        stores.mail = Arc::new(MirroredMail::new(Arc::clone(&stores.mail), mirror));
        return Ok(None);
    }
    let found = Found { text: url.into(), origin: Origin::Environment };
    let kind = StoreKind::of(&without_login(settings), &found)?;
    let settings = settings.clone();
    let open = move || -> BoxFuture<'static, Result<OpenMirror>> {
        let (kind, settings) = (kind.clone(), settings.clone());
        Box::pin(async move {
            let second = kind.open().await?;
            let rules = mail_rules(&settings.mail);
            let service = MailService::new(second.mail, Arc::new(SystemClock), Arc::new(RandomMint), rules);
            Ok(OpenMirror { mail: StoreMirror::new(service, second.info.location), probe: second.probe })
        })
    };
    let mirror = Arc::new(LateMirror::new(location(url), Box::new(open)));
    stores.mail = Arc::new(MirroredMail::new(Arc::clone(&stores.mail), Arc::clone(&mirror) as Arc<dyn MailMirror>));
    Ok(Some(mirror))
}

/// The settings for any store but the one that they name: its password is shown to no other server.
fn without_login(settings: &Settings) -> Settings {
    let mut others = settings.clone();
    others.redis.login = RedisLogin::default();
    others
}

/// Which store to open; its folder is made where nobody named it.
fn kind_of(settings: &Settings, store: &Found) -> Result<StoreKind> {
    let kind = StoreKind::of(settings, store)?;
    if store.origin == Origin::Default {
        owner_key::create_private_dir(&settings.data_dir)?;
    }
    Ok(kind)
}

/// Which store a URL names, and with which options.
#[derive(Clone)]
enum StoreKind {
    Sqlite(mainstay_sqlite::SqliteOptions),
    Redis(Box<RedisOptions>),
}

impl StoreKind {
    fn of(settings: &Settings, store: &Found) -> Result<Self> {
        let url = store.text.as_str();
        if url.starts_with("sqlite:") {
            return Ok(Self::Sqlite(mainstay_sqlite::SqliteOptions::from_url(url)?));
        }
        match url.split_once("://").map(|(scheme, _)| scheme) {
            Some("redis" | "rediss" | "redis+sentinel" | "rediss+sentinel" | "redis+cluster" | "rediss+cluster") => {
                let mut options = redis_store::options(&settings.redis, url)?;
                options.streams = Arc::clone(&settings.streams);
                Ok(Self::Redis(Box::new(options)))
            }
            scheme => Err(unknown_store(scheme)),
        }
    }

    async fn open(self) -> Result<Stores> {
        match self {
            Self::Sqlite(options) => Ok(mainstay_sqlite::open(options).await?),
            // Boxed: the layers of the Redis client make a future deeper than the compiler cares to follow.
            Self::Redis(options) => Ok(Box::pin(mainstay_redis::open(*options)).await?),
        }
    }
}

/// Reads the messages of the coordination system that Mainstay replaces from its Redis.
///
/// # Errors
/// Those of the store.
pub async fn read_legacy(settings: &Settings, url: &str) -> Result<Vec<mainstay_redis::legacy::LegacyEntry>> {
    let options = redis_store::options(&without_login(settings).redis, url)?;
    Ok(Box::pin(mainstay_redis::legacy::read_messages(options)).await?)
}

/// Reads the keys that another program keeps below a prefix in its Redis.
///
/// # Errors
/// Those of the store.
pub async fn read_legacy_keys(
    settings: &Settings,
    url: &str,
    prefix: &str,
) -> Result<Vec<(String, mainstay_redis::legacy_keys::LegacyValue)>> {
    let options = redis_store::options(&without_login(settings).redis, url)?;
    Ok(Box::pin(mainstay_redis::legacy_keys::read_keys(options, prefix)).await?)
}

/// The URL of a store without user and password.
#[must_use]
pub fn location(url: &str) -> String {
    match RedisOptions::from_url(url) {
        Ok(options) => options.location(),
        Err(_) => url.split_once("://").map_or(url, |(scheme, _)| scheme).to_owned(),
    }
}

/// Names the scheme alone: a URL may hold a password.
fn unknown_store(scheme: Option<&str>) -> Failure {
    let detail = match scheme {
        Some(scheme) => format!("there is no store for URLs that begin with {scheme:?}"),
        None => "the store must be given as a URL".into(),
    };
    let help = "Set MAINSTAY_STORE to sqlite:<path>, sqlite::memory:, redis://…, rediss://…, redis+sentinel://…, \
                rediss+sentinel://…, redis+cluster://… or rediss+cluster://….";
    Failure::new(Code::SettingInvalid, detail, help)
}

/// The job that anchors the audit trail.
#[must_use]
pub fn anchoring(settings: &Settings) -> Anchoring {
    Anchoring { interval_ms: settings.audit.checkpoint_interval_ms, ..Anchoring::default() }
}

/// The ring that is needed now: made where there is none, and nothing in the store is sealed with another.
///
/// # Errors
/// `secrets.key_missing`: a ring made now would hide that one is lost. `settings.invalid`; those of [`Backbone::open`].
pub async fn ring(settings: &Settings) -> Result<KeyRing> {
    if let Some(ring) = keyring::find(settings)? {
        return Ok(ring);
    }
    let backbone = Backbone::open(settings).await?;
    let checked = backbone.services.check_ring().await;
    backbone.close().await;
    checked?;
    keyring::find_or_make(settings)
}

fn gateway_setup(gateway: &GatewaySettings, ring: Option<KeyRing>) -> GatewaySetup {
    let proxy = gateway.proxy.as_ref().map(|proxy| proxy.expose_secret().to_owned());
    let rules = GatewayRules { proxy, ..GatewayRules::default() };
    GatewaySetup { ring, mint: Arc::new(RandomMint), rules, timeouts: gateway.timeouts }
}

fn audit_rules(audit: &AuditSettings) -> AuditRules {
    AuditRules { retention_ms: i64::from(audit.retention_days) * DAY_MS, ..AuditRules::default() }
}

fn identity_rules(settings: &Settings, ring: Option<KeyRing>) -> IdentityRules {
    IdentityRules {
        session_idle_ms: i64::from(settings.sessions.idle_minutes) * MINUTE_MS,
        session_max_ms: i64::from(settings.sessions.max_days) * DAY_MS,
        ring,
        ..IdentityRules::default()
    }
}

fn mail_rules(mail: &MailSettings) -> MailRules {
    MailRules {
        retention_ms: i64::from(mail.retention_days) * DAY_MS,
        limits: InboxLimits {
            max_inbox: mail.max_inbox,
            max_pending: mail.max_pending,
            max_messages: mail.max_messages,
        },
        extra_types: mail.types.clone(),
    }
}

fn presence_rules(presence: &PresenceSettings) -> PresenceRules {
    PresenceRules {
        inactive_after_ms: i64::from(presence.timeout_minutes) * MINUTE_MS,
        gone_after_ms: i64::from(presence.gone_hours) * HOUR_MS,
        max_instances: presence.max_instances,
    }
}
