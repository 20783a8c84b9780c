//! From text to typed values, with errors that name the setting and where its value came from.

use super::{
    AuditSettings, ClientSettings, Found, GatewaySettings, Layers, LogFormat, LogSettings, MailSettings, Origin,
    PresenceSettings, RedisLogin, RedisSettings, Refusal, ServerSettings, SessionSettings, Setting, Settings, refusal,
};
use mainstay_api::InstanceId;
use mainstay_core::events::RoomRules;
use mainstay_core::outage::JournalBounds;
use mainstay_gateway::UsualTimeouts;
use secrecy::SecretString;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// Longest time-out, in milliseconds: an hour.
const MAX_TIMEOUT_MS: u64 = 3_600_000;
/// Most of anything that is counted.
const MAX_COUNT: u64 = 1_000_000_000;

type Result<T> = std::result::Result<T, Refusal>;

/// Reads typed values from the layers.
pub(super) struct Reader<'a>(pub(super) &'a Layers);

impl Reader<'_> {
    /// Whose output the scripts of the original print.
    pub(super) fn compat_stage_a(&self) -> Result<bool> {
        match self.0.find(Setting::CompatStage)? {
            Some(found) if found.text.eq_ignore_ascii_case("a") => Ok(true),
            Some(found) if !found.text.eq_ignore_ascii_case("d") => {
                Err(invalid(Setting::CompatStage, &found, &"expected a or d"))
            }
            _ => Ok(false),
        }
    }

    pub(super) fn text(&self, setting: Setting) -> Result<Option<String>> {
        Ok(self.0.find(setting)?.map(|found| found.text))
    }

    pub(super) fn secret(&self, setting: Setting) -> Result<Option<SecretString>> {
        Ok(self.text(setting)?.map(SecretString::from))
    }

    pub(super) fn sessions(&self) -> Result<SessionSettings> {
        Ok(SessionSettings {
            idle_minutes: self.number(Setting::SessionIdleMinutes, 1..=43_200)?,
            max_days: self.number(Setting::SessionMaxDays, 1..=365)?,
        })
    }

    pub(super) fn parsed<T: FromStr<Err: Display>>(&self, setting: Setting) -> Result<Option<T>> {
        let Some(found) = self.0.find(setting)? else { return Ok(None) };
        found.text.parse().map(Some).map_err(|rule: T::Err| invalid(setting, &found, &rule))
    }

    /// A number within a range; the table gives it a default.
    pub(super) fn number<T: TryFrom<u64>>(&self, setting: Setting, range: RangeInclusive<u64>) -> Result<T> {
        let (least, most) = (*range.start(), *range.end());
        let found = self.0.find(setting)?.unwrap_or(Found { text: String::new(), origin: Origin::Default });
        let number = found.text.replace('_', "").parse::<u64>().ok().filter(|number| range.contains(number));
        let number = number.and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| invalid(setting, &found, &format!("expected a number from {least} to {most}")))
    }

    pub(super) fn list(&self, setting: Setting) -> Result<Vec<String>> {
        let text = self.text(setting)?.unwrap_or_default();
        Ok(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect())
    }

    fn path(&self, setting: Setting) -> Result<Option<PathBuf>> {
        Ok(self.text(setting)?.map(PathBuf::from))
    }

    /// A list of values, each of which is parsed.
    fn parsed_list<T>(&self, setting: Setting) -> Result<Vec<T>>
    where
        T: FromStr,
        T::Err: Display,
    {
        let found = self.0.find(setting)?.unwrap_or(Found { text: String::new(), origin: Origin::Default });
        let parse = |text: String| text.parse().map_err(|rule| invalid(setting, &found, &rule));
        self.list(setting)?.into_iter().map(parse).collect()
    }

    pub(super) fn timeout_ms(&self, setting: Setting) -> Result<u64> {
        self.number(setting, 1..=MAX_TIMEOUT_MS)
    }

    pub(super) fn data_dir(&self) -> Result<PathBuf> {
        let given = self.path(Setting::DataDir)?.or_else(|| self.0.surroundings().data_dir.clone());
        given.ok_or_else(|| {
            let detail = "the user's data folder is not known: there is no home directory";
            refusal(detail, "Set MAINSTAY_DATA_DIR to a folder of your choice.")
        })
    }

    pub(super) fn store(&self, data_dir: &Path) -> Result<Found> {
        match self.0.find(Setting::Store)? {
            Some(found) if found.origin != Origin::Default => Ok(found),
            _ if self.is_redis_enabled()? => self.redis_of_parts(),
            _ => {
                let text = format!("sqlite:{}", data_dir.join("mainstay.db").display());
                Ok(Found { text, origin: Origin::Default })
            }
        }
    }

    /// A variable of others.
    fn variable(&self, name: &str) -> Option<&str> {
        let value = self.0.surroundings().environment.get(name)?.trim();
        Some(value).filter(|value| !value.is_empty())
    }

    /// Whether the environment asks for Redis in the words of the gateway that Mainstay replaces.
    fn is_redis_enabled(&self) -> Result<bool> {
        match self.variable("REDIS_ENABLED").map(str::to_ascii_lowercase).as_deref() {
            Some("true" | "1" | "yes" | "on") => Ok(true),
            None | Some("false" | "0" | "no" | "off") => Ok(false),
            Some(other) => {
                let detail = format!("REDIS_ENABLED (from the environment): {other:?} says neither true nor false");
                Err(refusal(detail, "Set it to true or false, or name the store with MAINSTAY_STORE."))
            }
        }
    }

    /// The Redis that `REDIS_HOST`, `REDIS_PORT` and `REDIS_DB` describe.
    fn redis_of_parts(&self) -> Result<Found> {
        let number = |name: &str, default: u16| match self.variable(name) {
            None => Ok(default),
            Some(text) => text.parse::<u16>().map_err(|_| {
                // A cluster of Kubernetes with a service `redis` sets `REDIS_PORT=tcp://…` for every container.
                let detail = format!("{name} (from the environment): {text:?} is no number up to 65535");
                refusal(detail, "Set it to a number, or name the store with MAINSTAY_STORE.")
            }),
        };
        let host = self.variable("REDIS_HOST").unwrap_or("localhost");
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let (port, database) = (number("REDIS_PORT", 6_379)?, number("REDIS_DB", 0)?);
        Ok(Found { text: format!("redis://{host}:{port}/{database}"), origin: Origin::Environment })
    }

    pub(super) fn user(&self) -> Option<InstanceId> {
        let surroundings = self.0.surroundings();
        let set = |name: &&str| surroundings.environment.get(*name).filter(|value| !value.is_empty()).cloned();
        let name = ["USER", "LOGNAME", "USERNAME"].iter().find_map(set);
        let name = name.or_else(|| surroundings.user_id.map(|id| format!("user-{id}")));
        name.and_then(|name| InstanceId::parse(name).ok())
    }

    pub(super) fn client(&self) -> Result<ClientSettings> {
        Ok(ClientSettings {
            retry_for_ms: self.number(Setting::RetryForMs, 0..=MAX_TIMEOUT_MS)?,
            connect_timeout_ms: self.timeout_ms(Setting::ConnectTimeoutMs)?,
            response_timeout_ms: self.timeout_ms(Setting::ResponseTimeoutMs)?,
            beat_interval_ms: self.number(Setting::BeatIntervalMs, 100..=MAX_TIMEOUT_MS)?,
        })
    }

    pub(super) fn log(&self) -> Result<LogSettings> {
        let format = match self.0.find(Setting::LogFormat)? {
            Some(found) if found.text == "json" => LogFormat::Json,
            Some(found) if found.text != "text" => {
                return Err(invalid(Setting::LogFormat, &found, &"expected text or json"));
            }
            _ => LogFormat::Text,
        };
        Ok(LogSettings { filter: self.parsed(Setting::Log)?, format })
    }

    pub(super) fn server(&self) -> Result<ServerSettings> {
        let missing = || refusal("no address to listen on", "Set MAINSTAY_LISTEN.");
        Ok(ServerSettings {
            listen: self.parsed(Setting::Listen)?.ok_or_else(missing)?,
            allowed_hosts: self.list(Setting::AllowedHosts)?,
            allowed_origins: self.list(Setting::AllowedOrigins)?,
            trusted_proxies: self.parsed_list(Setting::TrustedProxies)?,
            max_in_flight: self.number(Setting::MaxInFlight, 1..=1_000_000)?,
            max_live: self.number(Setting::MaxLive, 1..=1_000_000)?,
            request_timeout_ms: self.timeout_ms(Setting::RequestTimeoutMs)?,
            max_body_bytes: self.number(Setting::MaxBodyBytes, 1_024..=MAX_COUNT)?,
            shutdown_grace_ms: self.number(Setting::ShutdownGraceMs, 0..=MAX_TIMEOUT_MS)?,
            bridge_key: self.secret(Setting::BridgeKey)?,
            open_metrics: self.parsed(Setting::OpenMetrics)?.unwrap_or(false),
        })
    }

    pub(super) fn gateway(&self) -> Result<GatewaySettings> {
        Ok(GatewaySettings {
            max_body_bytes: self.number(Setting::GatewayMaxBodyBytes, 1_024..=MAX_COUNT)?,
            proxy: self.proxy()?,
            timeouts: UsualTimeouts {
                connect_ms: self.timeout_ms(Setting::GatewayConnectTimeoutMs)?,
                first_byte_ms: self.timeout_ms(Setting::GatewayFirstByteTimeoutMs)?,
                idle_ms: self.timeout_ms(Setting::GatewayIdleTimeoutMs)?,
            },
        })
    }

    fn proxy(&self) -> Result<Option<SecretString>> {
        let Some(found) = self.0.find(Setting::GatewayProxy)? else { return Ok(None) };
        let url = url::Url::parse(&found.text).ok().filter(url::Url::has_host);
        if !url.is_some_and(|url| matches!(url.scheme(), "http" | "https" | "socks5")) {
            return Err(invalid(Setting::GatewayProxy, &found, &"expected http://, https:// or socks5:// and a host"));
        }
        Ok(Some(found.text.into()))
    }

    pub(super) fn mail(&self) -> Result<MailSettings> {
        Ok(MailSettings {
            types: self.parsed_list(Setting::MailTypes)?,
            retention_days: self.number(Setting::MailRetentionDays, 1..=3_650)?,
            max_inbox: self.number(Setting::MailMaxInbox, 1..=MAX_COUNT)?,
            max_pending: self.number(Setting::MailMaxPending, 1..=MAX_COUNT)?,
            max_messages: self.number(Setting::MailMaxMessages, 1..=MAX_COUNT)?,
        })
    }

    pub(super) fn audit(&self) -> Result<AuditSettings> {
        Ok(AuditSettings {
            key: self.text(Setting::AuditKey)?.map(Into::into),
            checkpoints: self.path(Setting::AuditCheckpoints)?,
            checkpoint_interval_ms: self.number(Setting::AuditCheckpointIntervalMs, 100..=24 * 60 * 60 * 1_000)?,
            retention_days: self.number(Setting::AuditRetentionDays, 1..=36_500)?,
        })
    }

    pub(super) fn outage(&self) -> Result<JournalBounds> {
        Ok(JournalBounds {
            max_entries: self.number(Setting::OutageMaxEntries, 1..=10_000_000)?,
            max_bytes: self.number(Setting::OutageMaxBytes, 1_024..=1_099_511_627_776)?,
        })
    }

    pub(super) fn rooms(&self) -> Result<RoomRules> {
        Ok(RoomRules {
            ttl: Duration::from_secs(self.number(Setting::RoomPresenceSeconds, 5..=600)?),
            max_occupants: self.number(Setting::RoomMaxConnections, 1..=100_000)?,
            max_members: self.number(Setting::RoomMaxMembers, 1..=100_000)?,
            coalescing: self.coalescing()?,
        })
    }

    /// How far apart passing states are; zero where each is published.
    fn coalescing(&self) -> Result<Duration> {
        let window = self.number(Setting::CoalescingWindowMs, 10..=5_000)?;
        let on = self.parsed(Setting::Coalescing)?.unwrap_or(true);
        Ok(if on { Duration::from_millis(window) } else { Duration::ZERO })
    }

    pub(super) fn presence(&self) -> Result<PresenceSettings> {
        Ok(PresenceSettings {
            timeout_minutes: self.number(Setting::PresenceTimeoutMinutes, 1..=10_080)?,
            gone_hours: self.number(Setting::PresenceGoneHours, 1..=8_760)?,
            max_instances: self.number(Setting::PresenceMaxInstances, 1..=1_000_000)?,
        })
    }

    pub(super) fn redis(&self) -> Result<RedisSettings> {
        Ok(RedisSettings {
            login: self.redis_login()?,
            key_prefix: self.text(Setting::RedisKeyPrefix)?.unwrap_or_default(),
            connect_timeout_ms: self.timeout_ms(Setting::RedisConnectTimeoutMs)?,
            response_timeout_ms: self.timeout_ms(Setting::RedisResponseTimeoutMs)?,
            ca_file: self.path(Setting::RedisCaFile)?,
            cert_file: self.path(Setting::RedisCertFile)?,
            key_file: self.path(Setting::RedisKeyFile)?,
            tls_server_name: self.text(Setting::RedisTlsServerName)?,
        })
    }

    fn redis_login(&self) -> Result<RedisLogin> {
        let login = RedisLogin {
            username: self.text(Setting::RedisUsername)?,
            password: self.secret(Setting::RedisPassword)?,
            credentials: self.text(Setting::RedisCredentials)?,
            entra_client_id: self.text(Setting::RedisEntraClientId)?,
            entra_client_secret: self.secret(Setting::RedisEntraClientSecret)?,
        };
        if login.password.is_some() && login.credentials.is_some() {
            let detail = "both MAINSTAY_REDIS_PASSWORD and MAINSTAY_REDIS_CREDENTIALS are set";
            return Err(refusal(detail, "Set the one that says what the password is."));
        }
        Ok(login)
    }

    /// Refuses to show the user's owner key or credential to a server that only the working directory's file names: such a file
    /// comes with any repository that one clones.
    pub(super) fn check_key_stays_home(&self, settings: &Settings) -> Result<()> {
        let has_credential = settings.owner_key.is_some() || settings.token.is_some();
        let named_by_project = self.0.find(Setting::Url)?.is_some_and(|url| url.origin == Origin::ProjectFile);
        let Some(url) = settings.url.as_deref().filter(|_| named_by_project && has_credential) else {
            return Ok(());
        };
        if is_loopback(url) {
            return Ok(());
        }
        let detail =
            format!("the mainstay.toml of this directory names the server {url}, which would be sent your credential");
        Err(refusal(detail, "If you trust it, name it yourself: set MAINSTAY_URL."))
    }
}

/// Whether an address is this machine's own.
#[must_use]
pub fn is_loopback(url: &str) -> bool {
    match url::Url::parse(url).as_ref().map(url::Url::host) {
        Ok(Some(url::Host::Ipv4(ip))) => ip.is_loopback(),
        Ok(Some(url::Host::Ipv6(ip))) => ip.is_loopback(),
        Ok(Some(url::Host::Domain(name))) => name == "localhost" || name.ends_with(".localhost"),
        _ => false,
    }
}

pub(super) fn invalid(setting: Setting, found: &Found, rule: &dyn Display) -> Refusal {
    let entry = setting.entry();
    let value = if entry.secret { "its value".into() } else { format!("{:?}", found.text) };
    let detail = format!("{} ({}): {value} is not valid: {rule}", entry.variable, found.origin);
    refusal(detail, entry.doc)
}
