//! What a server must be, and what it should be, checked when the store is opened.

use crate::connection::{Connection, Repeat, read};
use crate::failure::FORBIDS;
use mainstay_core::{Error, Result, api::Code};
use redis::Value;
use std::collections::{BTreeMap, HashMap};

/// The oldest version that works: sorted-set ranges, `PXAT` and scripts as we use them came with it.
const OLDEST: (u32, u32) = (6, 2);

/// What the check found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Whether the append-only file is on.
    pub durable: bool,
    /// What puts data at risk.
    pub warnings: Vec<String>,
}

impl Report {
    /// What is known of a server that does not answer.
    pub(crate) fn of_the_away(error: &Error) -> Self {
        let note = format!("it did not answer at the start, so its version and persistence were not checked: {error}");
        Self { durable: false, warnings: vec![note] }
    }
}

/// Asks the server what it is. A user whose ACL forbids `INFO` gets a warning instead.
pub(crate) async fn server(connection: &Connection) -> Result<Report> {
    // Everything that INFO can tell takes the server longer than the rest of opening the store; of these three, a
    // server before 7.0 takes one at a time.
    let section = async |name: &str| connection.command("info", redis::cmd("INFO").arg(name), Repeat::Safe).await;
    let sections = futures::try_join!(section("server"), section("persistence"), section("memory"));
    let nodes = match sections {
        Ok((server, persistence, memory)) => nodes([server, persistence, memory]),
        Err(error) if error.code() == Code::StoreUnavailable && error.problem.detail.ends_with(FORBIDS) => {
            let note = "the user may not run INFO, so version and persistence were not checked";
            return Ok(Report { durable: false, warnings: vec![note.into()] });
        }
        Err(error) => return Err(error),
    };
    let mut report = Report { durable: !nodes.is_empty(), ..Report::default() };
    for (node, info) in &nodes {
        version(info, if node.is_empty() { connection.location() } else { node })?;
        report.durable &= info.get("aof_enabled").is_some_and(|enabled| enabled == "1");
        report.warnings.extend(warnings(info).into_iter().map(|warning| match node.as_str() {
            "" => warning,
            node => format!("{node}: {warning}"),
        }));
    }
    Ok(report)
}

/// What each node says of itself. One server answers with a text, a cluster with a text for each node.
fn nodes(sections: [Value; 3]) -> BTreeMap<String, HashMap<String, String>> {
    let mut nodes: BTreeMap<String, HashMap<String, String>> = BTreeMap::new();
    for section in sections {
        let texts = match section {
            Value::Map(nodes) => nodes,
            text => vec![(Value::SimpleString(String::new()), text)],
        };
        for (node, text) in texts {
            let node = read::<String>(node, "INFO").unwrap_or_default();
            nodes.entry(node).or_default().extend(parse(&read::<String>(text, "INFO").unwrap_or_default()));
        }
    }
    nodes
}

fn warnings(info: &HashMap<String, String>) -> Vec<String> {
    let mut warnings = Vec::new();
    if info.get("aof_enabled").is_some_and(|enabled| enabled != "1") {
        warnings.push(
            "the append-only file is off: a crash of Redis loses everything since its last snapshot \
             (set `appendonly yes`, as in deploy/redis.conf)"
                .into(),
        );
    }
    match info.get("maxmemory_policy").map(String::as_str) {
        None | Some("noeviction") => {}
        Some(policy) => warnings.push(format!(
            "maxmemory-policy is {policy}: Redis may drop messages and indexes when memory is short \
             (set `maxmemory-policy noeviction`)"
        )),
    }
    warnings
}

fn version(info: &HashMap<String, String>, location: &str) -> Result<()> {
    // Valkey reports the Redis version that it is compatible with here, and its own elsewhere.
    let Some(text) = info.get("redis_version") else {
        return Ok(());
    };
    let mut parts = text.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if version >= OLDEST {
        return Ok(());
    }
    Err(Error::new(
        Code::StoreIncompatible,
        format!("Redis at {location} is version {text}"),
        "Use Redis 6.2 or later, or any Valkey.",
    ))
}

fn parse(info: &str) -> HashMap<String, String> {
    let pairs = info.lines().filter_map(|line| line.split_once(':'));
    pairs.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_before_6_2_is_refused() {
        let info = |version: &str| HashMap::from([("redis_version".to_owned(), version.to_owned())]);
        assert!(version(&info("6.0.16"), "x").is_err());
        assert!(version(&info("5.0.0"), "x").is_err());
        for good in ["6.2.0", "7.0.15", "8.2.1", "10.0.0"] {
            assert!(version(&info(good), "x").is_ok(), "{good}");
        }
    }
}
