//! Reading the keys of the coordination system that Mainstay replaces: `coord:msg:*`, the `coordmsg:*` of its broken
//! migration, and the same under `asdlc:coord:*`. Reads only; nothing is changed there.

use crate::connection::{Connection, Repeat, read};
use crate::options::{Arrangement, RedisOptions};
use mainstay_core::api::legacy::{LegacyMessage, LegacyPayload};
use mainstay_core::{Error, Result, api::Code};
use std::collections::HashMap;

/// What the keys of messages begin with, in the order of trust: where two hold the same id, the first wins.
const PREFIXES: [&str; 3] = ["coord:msg:", "asdlc:coord:msg:", "coordmsg:"];
/// Most messages that are read; the original never held more than a month of them.
const MAX_MESSAGES: usize = 1_000_000;
/// Keys that one step of the scan looks at.
const SCAN_COUNT: u32 = 1_000;

/// One key of the original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyEntry {
    /// The key.
    pub key: String,
    /// The message, or why it cannot be read.
    pub message: Result<LegacyMessage, String>,
}

/// Reads every message of an original store, by key.
///
/// # Errors
/// `store.unavailable` where the server does not answer, `settings.invalid` for a cluster, which the original never
/// used.
pub async fn read_messages(options: RedisOptions) -> Result<Vec<LegacyEntry>> {
    if options.arrangement == Arrangement::Cluster {
        return Err(Error::new(
            Code::SettingInvalid,
            "the original coordination system never ran on a cluster",
            "Name its single server: coord+redis://host:port/db.",
        ));
    }
    let connection = Connection::new(options)?;
    let mut entries = Vec::new();
    for prefix in PREFIXES {
        let mut keys = scan(&connection, prefix).await?;
        keys.sort();
        for key in keys {
            if entries.len() >= MAX_MESSAGES {
                return Err(Error::invalid(format!("the source holds more than {MAX_MESSAGES} messages")));
            }
            let mut command = redis::cmd("HGETALL");
            command.arg(&key);
            let fields = match connection.command("read a legacy message", &command, Repeat::Safe).await {
                Ok(value) => read::<HashMap<String, String>>(value, "HGETALL"),
                Err(error) if error.problem.retryable => return Err(error),
                Err(error) => Err(error),
            };
            let message = match fields {
                Ok(fields) => message(fields),
                Err(error) => Err(error.internal.unwrap_or_else(|| "it is not a hash of texts".into())),
            };
            entries.push(LegacyEntry { key, message });
        }
    }
    Ok(entries)
}

pub(crate) async fn scan(connection: &Connection, prefix: &str) -> Result<Vec<String>> {
    let mut keys = Vec::new();
    let mut cursor = String::from("0");
    loop {
        let mut command = redis::cmd("SCAN");
        command.arg(&cursor).arg("MATCH").arg(format!("{prefix}*")).arg("COUNT").arg(SCAN_COUNT);
        let value = connection.command("scan legacy keys", &command, Repeat::Safe).await?;
        let (next, found): (String, Vec<String>) = read(value, "SCAN")?;
        keys.extend(found);
        if next == "0" || keys.len() > MAX_MESSAGES {
            // A scan may return a key twice.
            keys.sort();
            keys.dedup();
            return Ok(keys);
        }
        cursor = next;
    }
}

/// Reads a hash: `1`/`0` and `from`/`to` as the client wrote it, `True`/`False` and `from_instance`/`to_instance` as
/// the migration did.
fn message(mut fields: HashMap<String, String>) -> Result<LegacyMessage, String> {
    let mut take = |names: &[&str]| names.iter().find_map(|name| fields.remove(*name));
    let mut need = |names: &[&str]| take(names).ok_or_else(|| format!("it has no field {}", names[0]));
    let (id, kind) = (need(&["id"])?, need(&["type"])?);
    let (from, to) = (need(&["from", "from_instance"])?, need(&["to", "to_instance"])?);
    let timestamp = need(&["timestamp"])?;
    let (subject, description) = (need(&["subject"])?, need(&["description"])?);
    let flag = |text: Option<String>, usual: bool| match text.as_deref() {
        None => Ok(usual),
        Some("1" | "True" | "true") => Ok(true),
        Some("0" | "False" | "false") => Ok(false),
        Some(other) => Err(format!("{other:?} is neither true nor false")),
    };
    Ok(LegacyMessage {
        id,
        kind,
        from,
        to,
        timestamp,
        requires_ack: flag(take(&["requires_ack"]), true)?,
        acknowledged: flag(take(&["acknowledged"]), false)?,
        payload: LegacyPayload { subject, description },
        ack_by: take(&["ack_by"]).filter(|text| !text.is_empty()),
        ack_timestamp: take(&["ack_timestamp"]).filter(|text| !text.is_empty()),
        ack_comment: take(&["ack_comment"]).filter(|text| !text.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn both_spellings_of_the_original_are_read() {
        let client = hash(&[
            ("id", "m"),
            ("type", "GENERAL"),
            ("from", "a"),
            ("to", "b"),
            ("timestamp", "2026-01-22T23:01:25Z"),
            ("requires_ack", "1"),
            ("acknowledged", "1"),
            ("subject", "s"),
            ("description", "d"),
            ("ack_by", "b"),
        ]);
        let migration = hash(&[
            ("id", "m"),
            ("type", "GENERAL"),
            ("from_instance", "a"),
            ("to_instance", "b"),
            ("timestamp", "2026-01-22T23:01:25Z"),
            ("requires_ack", "True"),
            ("acknowledged", "True"),
            ("subject", "s"),
            ("description", "d"),
            ("ack_by", "b"),
            ("ack_comment", ""),
        ]);
        assert_eq!(message(client.clone()).unwrap(), message(migration).unwrap());
        assert!(message(client).unwrap().acknowledged);
        assert!(message(hash(&[("id", "m")])).unwrap_err().contains("type"));
    }
}
