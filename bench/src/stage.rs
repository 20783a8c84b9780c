//! What every benchmark plays on: stores, services, a caller and messages.

use anyhow::{Context, Result, anyhow};
use mainstay_api::ids::RequestId;
use mainstay_api::mail::{Content, SendMessage};
use mainstay_api::{InstanceId, MessageId, MessageType, Namespace, Timestamp};
use mainstay_core::audit::AuditRules;
use mainstay_core::conversations::{ChatRules, ConversationRules, EchoAgent};
use mainstay_core::documents::DocumentRules;
use mainstay_core::identity::IdentityRules;
use mainstay_core::mail::{Append, InboxLimits, MailRules, MailService, Recipients, RequestMemo};
use mainstay_core::presence::PresenceRules;
use mainstay_core::providers::credentials::{NoAuthorizer, TokenRules};
use mainstay_core::providers::keys::KeyRules;
use mainstay_core::{Caller, Clock, Mint, RandomMint, Stores, SystemClock};
use mainstay_redis::RedisOptions;
use mainstay_server::{ServiceRules, Services};
use mainstay_sqlite::SqliteOptions;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Characters of a body: with the rest of it a message is of about 600 bytes.
const BODY_CHARS: usize = 400;
/// No benchmark fills an inbox: the bounds themselves are not measured.
const LIMITS: InboxLimits = InboxLimits { max_inbox: 10_000_000, max_pending: 10_000_000, max_messages: 10_000_000 };
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Opens a store by its URL.
pub async fn open(url: &str) -> Result<Stores> {
    Ok(match url.starts_with("sqlite:") {
        true => mainstay_sqlite::open(SqliteOptions::from_url(url)?).await?,
        false => Box::pin(mainstay_redis::open(RedisOptions::from_url(url)?)).await?,
    })
}

/// A connection of the kind that we use, with nothing around it.
pub async fn bare_connection(url: &str) -> Result<MultiplexedConnection> {
    let info = url.into_connection_info()?.set_tcp_settings(TcpSettings::default().set_nodelay(true));
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(RESPONSE_TIMEOUT));
    Ok(Client::open(info)?.get_multiplexed_async_connection_with_config(&config).await?)
}

/// A folder on the disk that the build uses, as the temporary one may be in memory: a sync there is none.
pub fn folder() -> Result<tempfile::TempDir> {
    let beside = target().join("bench");
    std::fs::create_dir_all(&beside)?;
    Ok(tempfile::Builder::new().prefix("store-").tempdir_in(beside)?)
}

/// The folder of this build, `target/release`.
pub fn target() -> PathBuf {
    std::env::current_exe().ok().and_then(|path| path.parent().map(PathBuf::from)).unwrap_or_default()
}

/// The rules of mail with bounds that no benchmark reaches.
pub fn rules() -> MailRules {
    MailRules { limits: LIMITS, ..MailRules::default() }
}

/// Mail on a store.
pub fn mail(stores: &Stores) -> Arc<MailService> {
    let mail = MailService::new(Arc::clone(&stores.mail), Arc::new(SystemClock), Arc::new(RandomMint), rules());
    Arc::new(mail)
}

/// The services on a store.
pub fn services(stores: &Stores) -> Arc<Services> {
    let rules = ServiceRules {
        outage: None,
        audit: AuditRules::default(),
        notary: None,
        agent: Arc::new(EchoAgent),
        chat: ChatRules::default(),
        conversations: ConversationRules::default(),
        documents: DocumentRules::default(),
        gateway_keys: KeyRules::default(),
        identity: IdentityRules::default(),
        mail: rules(),
        presence: PresenceRules::default(),
        providers: mainstay_core::providers::ProviderRules::default(),
        rooms: mainstay_core::events::RoomRules::default(),
        streams: Arc::default(),
        tokens: TokenRules::default(),
        authorizer: Arc::new(NoAuthorizer),
        clock: Arc::new(SystemClock),
        mint: Arc::new(RandomMint),
    };
    Arc::new(Services::new(stores, rules))
}

/// A namespace; the text is one of ours.
pub fn namespace(name: &str) -> Result<Namespace> {
    Namespace::parse(name).map_err(|invalid| anyhow!("{invalid}"))
}

/// An instance; the text is one of ours.
pub fn instance(name: &str) -> Result<InstanceId> {
    InstanceId::parse(name).map_err(|invalid| anyhow!("{invalid}"))
}

/// The owner, who speaks for an instance.
pub fn caller(in_namespace: &str, speaks_for: &str) -> Result<Caller> {
    Ok(Caller { instance: Some(instance(speaks_for)?), namespace: namespace(in_namespace)?, ..Caller::owner() })
}

/// A request id that no other call of this run has.
pub fn request_id() -> Result<RequestId> {
    RequestId::parse(format!("bench-{}", unique())).map_err(|invalid| anyhow!("{invalid}"))
}

/// An id for a message of a conversation.
pub fn chat_message_id() -> MessageId {
    RandomMint.chat_message_id()
}

/// A message as a caller sends it.
pub fn message(to: &str) -> Result<SendMessage> {
    Ok(SendMessage { body: body(), ..SendMessage::new(vec![instance(to)?], subject()) })
}

/// The same message as the service hands it to a store.
pub fn append(in_namespace: &str, to: &str) -> Result<Append> {
    let now = SystemClock.now();
    let number = unique();
    let sender = instance("sender")?;
    let id = MessageId::parse(format!("msg-{number:08x}")).map_err(|invalid| anyhow!("{invalid}"))?;
    let sent = message(to)?;
    let content = Content {
        id: id.clone(),
        kind: sent.kind,
        from: sender.clone(),
        to: sent.to,
        timestamp: now,
        subject: sent.subject,
        body: sent.body,
        thread: None,
        reply_to: None,
        priority: sent.priority,
        attachments: Vec::new(),
        requires_ack: true,
        expires_at: None,
    };
    Ok(Append {
        namespace: namespace(in_namespace)?,
        id,
        from: sender,
        kind: MessageType::parse("GENERAL").map_err(|invalid| anyhow!("{invalid}"))?,
        thread: None,
        subject_folded: content.subject.to_lowercase(),
        requires_ack: true,
        timestamp: now,
        expires_at: Timestamp::from_millis(now.as_millis() + rules().retention_ms),
        document: serde_json::to_vec(&content)?.into(),
        recipients: Recipients::Named(content.to.clone()),
        memo: Some(RequestMemo {
            key: format!("owner bench-{number}"),
            // As long as a real one.
            fingerprint: format!("{number:064x}"),
            until: Timestamp::from_millis(now.as_millis() + DAY_MS),
        }),
        limits: LIMITS,
        now,
    })
}

/// Runs a program to its end and returns what it printed.
pub fn run(command: &mut Command) -> Result<String> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("{shown} cannot be started"))?;
    if !output.status.success() {
        return Err(anyhow!("{shown}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn subject() -> String {
    "Benchmark: the interface of the payments module is ready for review".into()
}

fn body() -> String {
    "Lorem ipsum dolor sit amet. ".chars().cycle().take(BODY_CHARS).collect()
}

fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
