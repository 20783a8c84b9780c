//! Every setting, declared once: its variable, its key in `mainstay.toml`, its default and what it is for.
//! `.env.example` and the reference page are generated from here.

/// What is known about a setting.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The environment variable.
    pub variable: &'static str,
    /// Variables of other programs that are understood where this one is not set.
    pub aliases: &'static [&'static str],
    /// The key in `mainstay.toml`; a dot stands for a section. Empty where a file cannot say it.
    pub key: &'static str,
    /// The default, as one would write it; empty for none.
    pub default: &'static str,
    /// Whether the value must not be shown, and may be given by `<variable>_FILE` instead.
    pub secret: bool,
    /// What it is for.
    pub doc: &'static str,
}

macro_rules! settings {
    ($($variant:ident = $variable:literal $([$($alias:literal),*])?, $key:literal, $default:literal, $secret:ident, $doc:literal;)*) => {
        /// A setting.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Setting {
            $(#[doc = $doc] $variant,)*
        }

        impl Setting {
            /// Every setting, in the order of the reference page.
            pub const ALL: &[Setting] = &[$(Setting::$variant),*];

            /// What is known about the setting.
            #[must_use]
            pub fn entry(self) -> Entry {
                match self {
                    $(Setting::$variant => Entry {
                        variable: $variable, aliases: &[$($($alias),*)?], key: $key, default: $default,
                        secret: settings!(@$secret), doc: $doc,
                    },)*
                }
            }
        }
    };
    (@secret) => { true };
    (@public) => { false };
}

settings! {
    Config = "MAINSTAY_CONFIG", "", "", public,
        "The settings file. Without it, `mainstay.toml` of the working directory, then that of the user's configuration folder.";
    DataDir = "MAINSTAY_DATA_DIR", "data_dir", "", public,
        "The folder for the embedded store and the owner key. The user's data folder when absent.";
    Store = "MAINSTAY_STORE" ["REDIS_URL"], "store", "sqlite:<data dir>/mainstay.db", secret,
        "The store: `sqlite:<path>`, `sqlite::memory:`, `redis://`, `rediss://`, `redis+sentinel://`, `rediss+sentinel://`, `redis+cluster://` or `rediss+cluster://`.";
    Url = "MAINSTAY_URL", "url", "", public,
        "The server that commands talk to, such as `http://127.0.0.1:7717`. Without it they work directly on the store.";
    Namespace = "MAINSTAY_NAMESPACE", "namespace", "default", public,
        "The namespace: teams in different namespaces never see each other's data.";
    Instance = "MAINSTAY_INSTANCE" ["CLAUDE_INSTANCE_ID", "COORD_INSTANCE_ID"], "instance", "", public,
        "Who the commands speak for. Without it, mail is sent and acknowledged as the user of the operating system.";
    OwnerKey = "MAINSTAY_OWNER_KEY", "", "", secret,
        "The key that allows everything. Without it, `<data dir>/owner.key`, made at the first start.";
    Token = "MAINSTAY_TOKEN", "", "", secret,
        "A credential for commands: an API key, the token of a session, or a JWT of a trusted issuer. Without it, the session of `mainstay login`, then the owner key.";
    Keyring = "MAINSTAY_KEYRING", "", "", secret,
        "The key ring that secrets in the store are sealed with, a line `<id> <base64url of 32 bytes>` for each key, the one for new secrets first. Without it, `<data dir>/keyring`, made at its first need.";
    SessionIdleMinutes = "MAINSTAY_SESSION_IDLE_MINUTES", "sessions.idle_minutes", "480", public,
        "Minutes without use after which a session ends.";
    SessionMaxDays = "MAINSTAY_SESSION_MAX_DAYS", "sessions.max_days", "30", public,
        "Days after which a session ends in any case.";
    RetryForMs = "MAINSTAY_RETRY_FOR_MS", "client.retry_for_ms", "0", public,
        "How long a command repeats a call that may succeed later, in milliseconds. A repeated write is never done twice.";
    ConnectTimeoutMs = "MAINSTAY_CONNECT_TIMEOUT_MS", "client.connect_timeout_ms", "5000", public,
        "How long a command waits for a connection to the server, in milliseconds.";
    ResponseTimeoutMs = "MAINSTAY_RESPONSE_TIMEOUT_MS", "client.response_timeout_ms", "30000", public,
        "How long a command waits for an answer of the server, in milliseconds.";
    BeatIntervalMs = "MAINSTAY_BEAT_INTERVAL_MS", "client.beat_interval_ms", "60000", public,
        "How often `mainstay agent run` says that the agent is alive, in milliseconds.";
    Log = "MAINSTAY_LOG", "log.level", "", public,
        "What is logged on stderr: `error`, `warn`, `info`, `debug`, `trace`, or by module such as `warn,mainstay_server=debug`. `info` for `serve`, `warn` for other commands when absent.";
    LogFormat = "MAINSTAY_LOG_FORMAT", "log.format", "text", public, "The form of the log: `text` or `json`.";
    Listen = "MAINSTAY_LISTEN", "server.listen", "127.0.0.1:7717", public, "The address that `serve` listens on.";
    AllowedHosts = "MAINSTAY_ALLOWED_HOSTS", "server.allowed_hosts", "", public,
        "Host names, besides the loopback ones, that requests may name; separated by commas.";
    AllowedOrigins = "MAINSTAY_ALLOWED_ORIGINS", "server.allowed_origins", "", public,
        "Origins, besides the server's own, whose pages may call the server from a browser; separated by commas.";
    TrustedProxies = "MAINSTAY_TRUSTED_PROXIES", "server.trusted_proxies", "", public,
        "Addresses of proxies that are believed who their client is (`X-Forwarded-For`); separated by commas.";
    MaxInFlight = "MAINSTAY_MAX_IN_FLIGHT", "server.max_in_flight", "1024", public,
        "Requests that the server works on at once; more are refused with `server.overloaded`.";
    MaxLive = "MAINSTAY_MAX_LIVE", "server.max_live", "16384", public,
        "Live streams and long polls that the server holds at once.";
    RequestTimeoutMs = "MAINSTAY_REQUEST_TIMEOUT_MS", "server.request_timeout_ms", "30000", public,
        "How long a request may take, in milliseconds.";
    MaxBodyBytes = "MAINSTAY_MAX_BODY_BYTES", "server.max_body_bytes", "16777216", public,
        "Largest body of a request, in bytes.";
    ShutdownGraceMs = "MAINSTAY_SHUTDOWN_GRACE_MS", "server.shutdown_grace_ms", "10000", public,
        "How long requests may go on after the server was told to stop, in milliseconds.";
    OpenMetrics = "MAINSTAY_OPEN_METRICS", "server.open_metrics", "false", public,
        "Whether `/metrics` answers without a credential.";
    BridgeKey = "MAINSTAY_BRIDGE_KEY" ["INTERNAL_API_KEY"], "", "", secret,
        "The key that callers of the HTTP bridge (`/internal/*`) send in `X-Internal-Api-Key`. Without it nobody may call the bridge.";
    Streams = "MAINSTAY_STREAMS", "", "", public,
        "Streams of events besides the six that exist, or other options for one of those: `<name> <key>=<value> …`, separated by commas, such as `orders partitions=4, chat max_len=50000`. `[streams.<name>]` in `mainstay.toml` says the same.";
    StreamMaxLen = "MAINSTAY_STREAM_MAX_LEN" ["EVENT_TRANSPORT_STREAM_MAX_LEN"], "events.max_len", "", public,
        "About how many events each stream keeps that says no `max_len` of its own: 100 to 10,000,000. When absent, 10000, 5000 for `ticket` and `notification`, 1000 for `remote`.";
    ConsumerGroup = "MAINSTAY_CONSUMER_GROUP" ["EVENT_TRANSPORT_CONSUMER_GROUP"], "events.group", "", public,
        "The consumer group of `mainstay events consume` and `events dead` where no `--group` is given.";
    Coalescing = "MAINSTAY_COALESCING" ["EVENT_COALESCING_ENABLED"], "events.coalescing", "true", public,
        "Whether passing states of a user in a room (who types, what was read) are coalesced; `false` publishes each.";
    CoalescingWindowMs = "MAINSTAY_COALESCING_WINDOW_MS" ["EVENT_COALESCING_WINDOW_MS"], "events.coalescing_window_ms", "100", public,
        "How far apart such states of one user in one room are at least, in milliseconds: 10 to 5,000.";
    RoomPresenceSeconds = "MAINSTAY_ROOM_PRESENCE_SECONDS", "rooms.presence_seconds", "60", public,
        "How long the connections of a node that died are still in their rooms, in seconds.";
    RoomMaxConnections = "MAINSTAY_ROOM_MAX_CONNECTIONS", "rooms.max_connections", "10000", public,
        "Most live connections in one room; more are refused with `events.room_full`.";
    RoomMaxMembers = "MAINSTAY_ROOM_MAX_MEMBERS", "rooms.max_members", "10000", public,
        "Most members of one room; more are refused with `events.room_full`.";
    MailTypes = "MAINSTAY_MAIL_TYPES", "mail.types", "", public,
        "Message types accepted besides the known ones, such as `DEPLOY_DONE`; separated by commas.";
    MailRetentionDays = "MAINSTAY_MAIL_RETENTION_DAYS" ["COORD_MESSAGE_TTL_DAYS"], "mail.retention_days", "30", public,
        "Days that a message is kept where its sender does not say.";
    MailMaxInbox = "MAINSTAY_MAIL_MAX_INBOX", "mail.max_inbox", "100000", public,
        "Most messages in one inbox; the oldest that nobody waits for make room.";
    MailMaxPending = "MAINSTAY_MAIL_MAX_PENDING", "mail.max_pending", "10000", public,
        "Most unacknowledged messages in one inbox; more are refused with `mail.inbox_full`.";
    MailMaxMessages = "MAINSTAY_MAIL_MAX_MESSAGES", "mail.max_messages", "1000000", public,
        "Most messages in one namespace.";
    AuditKey = "MAINSTAY_AUDIT_KEY", "", "", secret,
        "The key that signs the checkpoints of the audit trail, 64 hexadecimal digits; nodes that share a store share it. Without it, `<data dir>/audit.key`, made when it is first needed.";
    AuditCheckpoints = "MAINSTAY_AUDIT_CHECKPOINTS", "audit.checkpoints", "", public,
        "The file that signed checkpoints are added to: best on another disk than the store. Without it, a file for each store in the data folder.";
    AuditCheckpointIntervalMs = "MAINSTAY_AUDIT_CHECKPOINT_INTERVAL_MS", "audit.checkpoint_interval_ms", "300000", public,
        "How often `serve` makes a checkpoint where the audit trail has grown, in milliseconds.";
    AuditRetentionDays = "MAINSTAY_AUDIT_RETENTION_DAYS", "audit.retention_days", "2192", public,
        "Days that an entry of the audit trail is kept; six years.";
    PresenceTimeoutMinutes = "MAINSTAY_PRESENCE_TIMEOUT_MINUTES" ["COORD_PRESENCE_TIMEOUT_MINUTES"], "presence.timeout_minutes", "5", public,
        "Minutes of silence after which an instance counts as inactive.";
    PresenceGoneHours = "MAINSTAY_PRESENCE_GONE_HOURS", "presence.gone_hours", "24", public,
        "Hours of silence after which an instance is forgotten.";
    PresenceMaxInstances = "MAINSTAY_PRESENCE_MAX_INSTANCES", "presence.max_instances", "10000", public,
        "Most instances in one namespace.";
    ConversationTtlSeconds = "MAINSTAY_CONVERSATION_TTL_SECONDS" ["CONVERSATION_TTL_SECONDS", "REDIS_TTL"], "conversations.ttl_seconds", "2592000", public,
        "How long a conversation is kept, in seconds, where neither its tenant nor itself says otherwise; 30 days unless set. A tenant has a table of its own in the settings file: `[conversations.tenants.\"<tenant>\"]` with `ttl_seconds` and `retention`.";
    ConversationRetention = "MAINSTAY_CONVERSATION_RETENTION", "conversations.retention", "sliding", public,
        "Whether use prolongs a conversation: `sliding` counts from its last use, `fixed` from its beginning.";
    ConversationMaxMessages = "MAINSTAY_CONVERSATION_MAX_MESSAGES", "conversations.max_messages", "100000", public,
        "Most messages in one conversation; more are refused with `conversations.full`.";
    ConversationMaxBytes = "MAINSTAY_CONVERSATION_MAX_BYTES", "conversations.max_bytes", "67108864", public,
        "Most bytes of messages in one conversation; more are refused with `conversations.full`.";
    ConversationMaxMessageBytes = "MAINSTAY_CONVERSATION_MAX_MESSAGE_BYTES", "conversations.max_message_bytes", "262144", public,
        "Largest message of a conversation, in bytes.";
    ConversationMaxPerUser = "MAINSTAY_CONVERSATION_MAX_PER_USER", "conversations.max_per_user", "10000", public,
        "Most conversations of one user; more are refused with `conversations.too_many`.";
    CardActions = "MAINSTAY_CARD_ACTIONS" ["ALLOWED_ACTION_TYPES"], "conversations.card_actions", "Action.Submit,Action.OpenUrl", public,
        "Kinds of action that what a card submits may name; separated by commas.";
    CardDomains = "MAINSTAY_CARD_DOMAINS" ["ALLOWED_DOMAINS"], "conversations.card_domains", "copilot.microsoft.com,microsoft.com", public,
        "Hosts, with all beneath them, whose `https` addresses a card may submit; separated by commas.";
    Agent = "MAINSTAY_AGENT", "agent.kind", "echo", public,
        "Who answers in chats: `echo` repeats what it is told, `openai` is an OpenAI-compatible upstream.";
    AgentUrl = "MAINSTAY_AGENT_URL", "agent.url", "https://api.openai.com/v1", public,
        "The address of the upstream, before `/chat/completions`.";
    AgentKey = "MAINSTAY_AGENT_KEY" ["OPENAI_API_KEY"], "", "", secret, "The key for the upstream.";
    AgentModel = "MAINSTAY_AGENT_MODEL" ["OPENAI_MODEL"], "agent.model", "gpt-4o-mini", public,
        "The model that the upstream is asked for.";
    AgentSystemPrompt = "MAINSTAY_AGENT_SYSTEM_PROMPT", "agent.system_prompt", "", public,
        "What the model is told before each conversation.";
    AgentTimeoutMs = "MAINSTAY_AGENT_TIMEOUT_MS", "agent.timeout_ms", "120000", public,
        "How long the agent may take for an answer, in milliseconds.";
    AgentMaxHistory = "MAINSTAY_AGENT_MAX_HISTORY", "agent.max_history", "40", public,
        "Most messages of a conversation that the agent is given, the newest ones.";
    GatewayMaxBodyBytes = "MAINSTAY_GATEWAY_MAX_BODY_BYTES", "gateway.max_body_bytes", "10485760", public,
        "Largest body of a request to the gateway, in bytes.";
    GatewayProxy = "MAINSTAY_GATEWAY_PROXY", "", "", secret,
        "The proxy on the way to providers of models, `http://`, `https://` or `socks5://`, where neither the settings of a provider nor the documents `settings/gateway` and `settings/main` (`PROXY_URL`) name one.";
    GatewayConnectTimeoutMs = "MAINSTAY_GATEWAY_CONNECT_TIMEOUT_MS", "gateway.connect_timeout_ms", "10000", public,
        "How long a connection to a provider of models may take, in milliseconds, where its settings do not say.";
    GatewayFirstByteTimeoutMs = "MAINSTAY_GATEWAY_FIRST_BYTE_TIMEOUT_MS", "gateway.first_byte_timeout_ms", "120000", public,
        "How long a provider of models may take until the first byte of its answer, in milliseconds, where its settings do not say.";
    GatewayIdleTimeoutMs = "MAINSTAY_GATEWAY_IDLE_TIMEOUT_MS", "gateway.idle_timeout_ms", "120000", public,
        "How long a provider of models may be silent within its answer, in milliseconds, where its settings do not say.";
    Mirror = "MAINSTAY_MIRROR", "mirror", "", secret,
        "A second store, or the folder of the original, that every write is repeated to.";
    CompatStage = "MAINSTAY_COMPAT_STAGE", "compat_stage", "d", public,
        "Whose output the scripts in `compat/` print: `d` that of the last ones of the original, `a` that of the first.";
    Issuer = "MAINSTAY_ISSUER", "", "", public,
        "An issuer whose tokens are accepted: its name, as its tokens give it in `iss`. `[[issuers]]` in `mainstay.toml` can name several and say more of each.";
    Audience = "MAINSTAY_AUDIENCE", "", "", public,
        "The audience that tokens of this issuer must name; several, of which they must name one, are separated by commas.";
    Tenants = "MAINSTAY_TENANTS", "", "", public,
        "The tenants (`tid`) of this issuer whose users may come in, separated by commas. Nobody may where it is not set; `*` lets in everybody whom the issuer vouches for.";
    UserClaim = "MAINSTAY_USER_CLAIM", "", "sub", public,
        "The claim of its tokens that names the user; `oid` for Entra ID.";
    Jwks = "MAINSTAY_JWKS", "", "", public,
        "The address of its keys, or a file with them. Without it, the discovery document of the issuer says where they are.";
    JwtSecret = "MAINSTAY_JWT_SECRET", "", "", secret,
        "A secret of at least 32 bytes that its tokens are signed with (HS256), in place of keys.";
    RedisUsername = "MAINSTAY_REDIS_USERNAME", "redis.username", "", public,
        "The ACL user of the store in Redis, in the place of the one in its URL.";
    RedisPassword = "MAINSTAY_REDIS_PASSWORD" ["REDIS_PASSWORD"], "", "", secret,
        "The password of that user, in the place of the one in the URL.";
    RedisCredentials = "MAINSTAY_REDIS_CREDENTIALS", "", "", public,
        "Where user and password of the store in Redis come from while it is used, in the place of a password: `file:<path>`, `command:<program and arguments>`, `entra:` (the managed identity of a machine in Azure) or `entra:<URL of a token endpoint>`.";
    RedisEntraClientId = "MAINSTAY_REDIS_ENTRA_CLIENT_ID", "redis.entra_client_id", "", public,
        "With `entra:`, the client id of the application, or of one of several managed identities.";
    RedisEntraClientSecret = "MAINSTAY_REDIS_ENTRA_CLIENT_SECRET", "", "", secret,
        "With `entra:<URL>`, the secret of the application; without it a managed identity is asked for.";
    OutageMaxEntries = "MAINSTAY_OUTAGE_MAX_ENTRIES", "outage.max_entries", "10000", public,
        "Most writes of settings that a node keeps in its journal while its Redis is away; more are refused with `store.journal_full`.";
    OutageMaxBytes = "MAINSTAY_OUTAGE_MAX_BYTES", "outage.max_bytes", "67108864", public,
        "Most bytes of such writes.";
    RedisKeyPrefix = "MAINSTAY_REDIS_KEY_PREFIX", "redis.key_prefix", "mainstay:", public, "What every key in Redis begins with.";
    RedisConnectTimeoutMs = "MAINSTAY_REDIS_CONNECT_TIMEOUT_MS", "redis.connect_timeout_ms", "2000", public,
        "How long a connection to Redis may take to open, in milliseconds.";
    RedisResponseTimeoutMs = "MAINSTAY_REDIS_RESPONSE_TIMEOUT_MS", "redis.response_timeout_ms", "2000", public,
        "How long Redis may take to answer, in milliseconds.";
    RedisCaFile = "MAINSTAY_REDIS_CA_FILE", "redis.ca_file", "", public,
        "Certificates to trust for `rediss`, in PEM; those of the machine when absent.";
    RedisCertFile = "MAINSTAY_REDIS_CERT_FILE", "redis.cert_file", "", public, "The client's certificate for `rediss`, in PEM.";
    RedisKeyFile = "MAINSTAY_REDIS_KEY_FILE", "redis.key_file", "", public, "The key of the client's certificate, in PEM.";
    RedisTlsServerName = "MAINSTAY_REDIS_TLS_SERVER_NAME" ["REDIS_HOSTNAME"], "redis.tls_server_name", "", public,
        "The name that the certificate of Redis must have, where it is not the host of the URL.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_variable_and_no_key_is_declared_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for setting in Setting::ALL {
            let entry = setting.entry();
            assert!(entry.variable.starts_with("MAINSTAY_"), "{}", entry.variable);
            for name in entry.aliases.iter().chain([&entry.variable, &entry.key]).filter(|name| !name.is_empty()) {
                assert!(seen.insert(*name), "{name}");
            }
        }
    }
}
