//! Where Redis is and how to talk to it, read from one URL.

use crate::credentials::CredentialSource;
use mainstay_core::events::Streams;
use mainstay_core::{Error, Result, api::Code};
use percent_encoding::percent_decode_str;
use std::path::PathBuf;
use std::sync::Arc;

/// The arrangement of servers behind the URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Arrangement {
    /// One server.
    Single,
    /// A master and replicas that Sentinels watch, under this name.
    Sentinel { master: String },
    /// A cluster.
    Cluster,
}

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub host: String,
    pub port: u16,
}

/// PEM files for TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// The authority that signed the server's certificate; the system's authorities where absent.
    pub ca_file: Option<PathBuf>,
    /// The client's certificate, with its key.
    pub cert_file: Option<PathBuf>,
    /// The key of the client's certificate.
    pub key_file: Option<PathBuf>,
}

/// How to reach Redis.
#[derive(Clone)]
pub struct RedisOptions {
    pub(crate) arrangement: Arrangement,
    pub(crate) nodes: Vec<Node>,
    pub(crate) tls: bool,
    /// The ACL user; Redis's own default user where absent.
    pub username: Option<String>,
    /// The password of the user.
    pub password: Option<String>,
    /// Where user and password come from while connections live, in the place of the password.
    pub credentials: Option<Arc<dyn CredentialSource>>,
    pub(crate) sentinel_username: Option<String>,
    pub(crate) sentinel_password: Option<String>,
    pub(crate) database: i64,
    /// PEM files for TLS.
    pub tls_files: TlsFiles,
    /// The name that the server's certificate must have and that TLS asks for; the host of the URL where absent.
    pub tls_server_name: Option<String>,
    /// What every key begins with, but those of streams.
    pub prefix: String,
    /// Whether the store may be opened while no server answers: by who can go on without it for a time.
    pub may_be_away: bool,
    /// The streams of events, for their keys.
    pub streams: Arc<Streams>,
    /// How long to wait for a connection, in milliseconds.
    pub connect_timeout_ms: u64,
    /// How long to wait for the answer to one command, in milliseconds.
    pub response_timeout_ms: u64,
    /// How long one operation may go on trying while servers change roles, in milliseconds.
    pub retry_budget_ms: u64,
}

impl std::fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisOptions").field("location", &self.location()).finish_non_exhaustive()
    }
}

/// The forms of the URL, for error messages.
const FORMS: &str = "redis://[user:password@]host[:port][/database], rediss://… for TLS, \
    redis+sentinel://host:port,host:port/master, redis+cluster://host:port,host:port (rediss+… for TLS)";

impl RedisOptions {
    /// Reads a URL: `redis://`, `rediss://`, `redis+sentinel://`, `redis+cluster://` and their TLS forms. User and
    /// password may be percent-encoded. The user and password of Sentinels are the query parameters
    /// `sentinel_username` and `sentinel_password`.
    ///
    /// # Errors
    /// `settings.invalid`, naming what is wrong but never the password.
    pub fn from_url(url: &str) -> Result<Self> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| invalid("it has no scheme"))?;
        let (kind, tls) = match scheme {
            "redis" | "valkey" => ("single", false),
            "rediss" | "valkeys" => ("single", true),
            "redis+sentinel" => ("sentinel", false),
            "rediss+sentinel" => ("sentinel", true),
            "redis+cluster" => ("cluster", false),
            "rediss+cluster" => ("cluster", true),
            other => return Err(invalid(&format!("the scheme {other:?} is not known"))),
        };
        // A password may hold `?`, `@` and `/` as they are: only the known parameters begin a query, and the last `@`
        // before it ends user and password.
        let known_query = rest.find("?sentinel_").map(|at| (&rest[..at], &rest[at + 1..]));
        let (rest, query) = known_query.unwrap_or((rest, ""));
        let (user_info, rest) = match rest.rsplit_once('@') {
            Some((user_info, rest)) => (Some(user_info), rest),
            None => (None, rest),
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, query));
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let default_port = if kind == "sentinel" { 26_379 } else { 6_379 };
        let nodes = hosts.split(',').map(|host| node(host, default_port)).collect::<Result<Vec<_>>>()?;
        let (username, password) = match user_info.map(|info| info.split_once(':').unwrap_or((info, ""))) {
            Some((user, password)) => (decoded(user)?, decoded(password)?),
            None => (None, None),
        };
        let mut path = path.split('/');
        let first = path.next().unwrap_or_default();
        let (arrangement, database) = match kind {
            "sentinel" if first.is_empty() => {
                return Err(invalid("a Sentinel URL names the master after the hosts, such as /mymaster"));
            }
            "sentinel" => {
                let master = decoded(first)?.unwrap_or_default();
                (Arrangement::Sentinel { master }, path.next().unwrap_or_default())
            }
            "cluster" => (Arrangement::Cluster, first),
            _ if nodes.len() > 1 => return Err(invalid("several hosts need redis+sentinel:// or redis+cluster://")),
            _ => (Arrangement::Single, first),
        };
        let database: i64 = match database {
            "" => 0,
            number => number.parse().map_err(|_| invalid(&format!("the database {number:?} is not a number")))?,
        };
        if arrangement == Arrangement::Cluster && database != 0 {
            return Err(invalid("a cluster has database 0 only"));
        }
        let mut options = Self {
            arrangement,
            nodes,
            tls,
            username,
            password,
            credentials: None,
            sentinel_username: None,
            sentinel_password: None,
            database,
            tls_files: TlsFiles::default(),
            tls_server_name: None,
            prefix: "mainstay:".into(),
            may_be_away: false,
            streams: Arc::default(),
            connect_timeout_ms: 2_000,
            response_timeout_ms: 2_000,
            retry_budget_ms: 1_000,
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "sentinel_username" => options.sentinel_username = decoded(value)?,
                "sentinel_password" => options.sentinel_password = decoded(value)?,
                other => return Err(invalid(&format!("the parameter {other:?} is not known"))),
            }
        }
        Ok(options)
    }

    /// `redis`, `redis+sentinel` or `redis+cluster`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.arrangement {
            Arrangement::Single => "redis",
            Arrangement::Sentinel { .. } => "redis+sentinel",
            Arrangement::Cluster => "redis+cluster",
        }
    }

    /// The URL without user and password.
    #[must_use]
    pub fn location(&self) -> String {
        let hosts: Vec<String> = self.nodes.iter().map(|node| format!("{}:{}", node.host, node.port)).collect();
        let scheme = if self.tls { self.kind().replacen("redis", "rediss", 1) } else { self.kind().to_owned() };
        let path = match (&self.arrangement, self.database) {
            (Arrangement::Sentinel { master }, 0) => format!("/{master}"),
            (Arrangement::Sentinel { master }, database) => format!("/{master}/{database}"),
            (_, 0) => String::new(),
            (_, database) => format!("/{database}"),
        };
        format!("{scheme}://{}{path}", hosts.join(","))
    }
}

fn node(text: &str, default_port: u16) -> Result<Node> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let host = if host.is_empty() { "127.0.0.1" } else { host };
    let port = match port {
        Some(port) => port.parse().map_err(|_| invalid(&format!("the port {port:?} is not a number")))?,
        None => default_port,
    };
    Ok(Node { host: host.to_owned(), port })
}

fn decoded(text: &str) -> Result<Option<String>> {
    if text.is_empty() {
        return Ok(None);
    }
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| invalid("user and password must be UTF-8"))?;
    Ok(Some(decoded.into_owned()))
}

fn invalid(why: &str) -> Error {
    Error::new(Code::SettingInvalid, format!("the URL of the store cannot be used: {why}"), format!("Write {FORMS}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_arrangement_has_a_url() {
        let single = RedisOptions::from_url("redis://localhost").unwrap();
        assert_eq!(single.nodes, [Node { host: "localhost".into(), port: 6_379 }]);
        let tls = RedisOptions::from_url("rediss://u%40x:p%3A%2F%40@cache.example:6380/3").unwrap();
        assert_eq!((tls.tls, tls.database, tls.kind()), (true, 3, "redis"));
        assert_eq!((tls.username.as_deref(), tls.password.as_deref()), (Some("u@x"), Some("p:/@")));
        let sentinel = RedisOptions::from_url("redis+sentinel://:secret@a:1,b:2,c/mymaster/2").unwrap();
        assert_eq!(sentinel.arrangement, Arrangement::Sentinel { master: "mymaster".into() });
        assert_eq!(sentinel.nodes[2], Node { host: "c".into(), port: 26_379 });
        assert_eq!(sentinel.location(), "redis+sentinel://a:1,b:2,c:26379/mymaster/2");
        let cluster = RedisOptions::from_url("rediss+cluster://[::1]:7000,b:7001").unwrap();
        assert_eq!(cluster.nodes[0], Node { host: "::1".into(), port: 7_000 });
        assert_eq!(cluster.location(), "rediss+cluster://::1:7000,b:7001");
    }

    #[test]
    fn a_broken_url_is_refused_without_its_password() {
        for bad in [
            "localhost:6379",
            "http://u:secret@h",
            "redis://u:secret@h:port",
            "redis://u:secret@a,b",
            "redis+sentinel://u:secret@a",
            "redis+cluster://u:secret@a/1",
            "redis://u:secret@h/x",
            "redis://u:1?secret@h/x",
            "redis://u:1?secret@h?y=2",
            "redis://h?x=1",
        ] {
            let error = RedisOptions::from_url(bad).unwrap_err();
            assert_eq!(error.code(), Code::SettingInvalid, "{bad}");
            assert!(!error.to_string().contains("secret"), "{bad}: {error}");
        }
    }

    #[test]
    fn a_password_may_hold_any_character_encoded_or_as_it_is() {
        let hostile = "@:/?#%{}\"' é日&=?sentinel@";
        let encoded = percent_encoding::utf8_percent_encode(hostile, percent_encoding::NON_ALPHANUMERIC);
        for (kind, tail) in [("redis", "h:1/2"), ("redis+sentinel", "h:1/m/2"), ("redis+cluster", "h:1")] {
            for password in [encoded.to_string(), hostile.to_owned()] {
                let options = RedisOptions::from_url(&format!("{kind}://us:{password}@{tail}")).unwrap();
                assert_eq!((options.username.as_deref(), options.password.as_deref()), (Some("us"), Some(hostile)));
                assert_eq!(options.nodes, [Node { host: "h".into(), port: 1 }]);
            }
        }
        let url = "redis+sentinel://u:p@h/m?sentinel_username=s&sentinel_password=a@b%26";
        let options = RedisOptions::from_url(url).unwrap();
        assert_eq!((options.password.as_deref(), options.sentinel_password.as_deref()), (Some("p"), Some("a@b&")));
    }

    #[test]
    fn neither_location_nor_debug_shows_the_password() {
        let options = RedisOptions::from_url("redis://u:secret@h").unwrap();
        assert!(!options.location().contains("secret"));
        assert!(!format!("{options:?}").contains("secret"));
    }
}
