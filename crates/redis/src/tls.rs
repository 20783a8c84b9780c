//! TLS: the certificates that are read, and a server whose certificate has another name than its address.

use crate::options::{Arrangement, Node, RedisOptions};
use mainstay_core::{Error, Result, api::Code};
use redis::cluster::NodeAddress;
use redis::io::AsyncDNSResolver;
use redis::{ClientTlsConfig, ErrorKind, RedisError, RedisFuture, TlsCertificates, Value};
use std::net::SocketAddr;

/// Reads the PEM files.
pub(crate) fn certificates(options: &RedisOptions) -> Result<TlsCertificates> {
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

/// Refuses a name for the certificate where nothing would ask for it.
pub(crate) fn check_server_name(options: &RedisOptions) -> Result<()> {
    let why = match (&options.tls_server_name, &options.arrangement) {
        (Some(_), Arrangement::Sentinel { .. }) if options.tls => {
            "Sentinels name masters by their address, which the certificates must have"
        }
        _ => return Ok(()),
    };
    let help = "Unset MAINSTAY_REDIS_TLS_SERVER_NAME, or announce the host names of the certificates in Redis.";
    Err(Error::new(Code::SettingInvalid, why, help))
}

/// Finds servers that are called by the name of their certificate at their real addresses.
#[derive(Debug, Clone)]
pub(crate) struct Renamed {
    name: String,
    nodes: Vec<Node>,
}

impl Renamed {
    /// The nodes of the options, where they are called otherwise than they are.
    pub fn of(options: &RedisOptions) -> Option<Self> {
        let name = options.tls_server_name.clone().filter(|_| options.tls)?;
        Some(Self { name, nodes: options.nodes.clone() })
    }

    /// The same with the nodes that a cluster announced, and by which name to call each of them.
    pub fn with_announced(mut self, announced: &[Node]) -> Result<(NodeNames, Self), RedisError> {
        let mut names = NodeNames::new();
        for node in announced {
            if announced.iter().any(|other| other.port == node.port && other.host != node.host) {
                let why = "nodes that share a port need host names of their own, which their certificates have";
                return Err(RedisError::from((ErrorKind::InvalidClientConfig, why)));
            }
            names.insert(NodeAddress::new(&node.host, node.port), NodeAddress::new(&self.name, node.port));
            // What is announced is the truth about a port; the configured nodes only serve to find it out.
            self.nodes.retain(|known| known.port != node.port);
            self.nodes.push(node.clone());
        }
        Ok((names, self))
    }

    /// The real host of what is called by a name and a port.
    fn host<'a>(&'a self, host: &'a str, port: u16) -> &'a str {
        let node = self.nodes.iter().find(|node| host == self.name && node.port == port);
        node.map_or(host, |node| &node.host)
    }
}

impl AsyncDNSResolver for Renamed {
    fn resolve<'a, 'b: 'a>(
        &'a self,
        host: &'b str,
        port: u16,
    ) -> RedisFuture<'a, Box<dyn Iterator<Item = SocketAddr> + Send + 'a>> {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((self.host(host, port), port)).await?.collect();
            Ok(Box::new(found.into_iter()) as Box<dyn Iterator<Item = SocketAddr> + Send>)
        })
    }
}

/// By which name to call a node that a cluster announced.
type NodeNames = std::collections::HashMap<NodeAddress, NodeAddress>;

/// The nodes in the answer to `CLUSTER SLOTS`; one without an address is the node that answered.
pub(crate) fn announced(slots: Value, asked: &Node) -> Result<Vec<Node>, RedisError> {
    let mut nodes: Vec<Node> = Vec::new();
    for range in redis::from_redis_value::<Vec<Vec<Value>>>(slots)? {
        for node in range.into_iter().skip(2) {
            let mut fields = redis::from_redis_value::<Vec<Value>>(node)?.into_iter();
            let host: Option<String> = redis::from_redis_value(fields.next().unwrap_or(Value::Nil))?;
            let port: u16 = redis::from_redis_value(fields.next().unwrap_or(Value::Nil))?;
            let node = Node { host: host.filter(|host| !host.is_empty()).unwrap_or(asked.host.clone()), port };
            if !nodes.contains(&node) {
                nodes.push(node);
            }
        }
    }
    Ok(nodes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renamed() -> Renamed {
        let mut options = RedisOptions::from_url("rediss+cluster://cache.example:10000").unwrap();
        options.tls_server_name = Some("name.example".into());
        Renamed::of(&options).unwrap()
    }

    fn node(host: &str, port: u16) -> Node {
        Node { host: host.into(), port }
    }

    #[test]
    fn a_node_is_called_by_the_name_and_found_at_its_address() {
        let (names, renamed) = renamed().with_announced(&[node("10.0.0.4", 8_500), node("10.0.0.5", 8_501)]).unwrap();
        assert_eq!(names[&NodeAddress::new("10.0.0.5", 8_501)], NodeAddress::new("name.example", 8_501));
        for (host, port, real) in [
            ("name.example", 8_501, "10.0.0.5"),
            ("name.example", 10_000, "cache.example"),
            ("other.example", 8_501, "other.example"),
        ] {
            assert_eq!(renamed.host(host, port), real);
        }
        assert!(renamed.with_announced(&[node("10.0.0.4", 6_379), node("10.0.0.5", 6_379)]).is_err());
    }

    #[test]
    fn the_answer_of_a_cluster_names_every_node_once() {
        let text = |text: &str| Value::BulkString(text.into());
        let entry = |host: Value, port| Value::Array(vec![host, Value::Int(port), text("id")]);
        let range = |nodes: Vec<Value>| Value::Array([vec![Value::Int(0), Value::Int(1)], nodes].concat());
        let answer = Value::Array(vec![
            range(vec![entry(text("10.0.0.4"), 8_500), entry(text("10.0.0.5"), 8_501)]),
            range(vec![entry(Value::Nil, 8_502), entry(text("10.0.0.4"), 8_500)]),
        ]);
        let asked = node("seed", 10_000);
        let found = announced(answer, &asked).unwrap();
        assert_eq!(found, [node("10.0.0.4", 8_500), node("10.0.0.5", 8_501), node("seed", 8_502)]);
    }
}
