//! Reading the keys that another program keeps below a prefix, as texts and hashes of texts. Reads only; nothing is
//! changed there.

use crate::connection::{Connection, Repeat, read};
use crate::legacy::scan;
use crate::options::{Arrangement, RedisOptions};
use mainstay_core::{Error, Result, api::Code};

/// Most keys that are read.
const MAX_KEYS: usize = 100_000;

/// What a key holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LegacyValue {
    /// A text.
    Text(String),
    /// A hash, by field.
    Hash(Vec<(String, String)>),
    /// Something else, or no text: why it cannot be read.
    Unreadable(String),
}

/// Reads every key that begins with a prefix; each by the rest of its name, in order.
///
/// # Errors
/// `store.unavailable` where the server does not answer, `settings.invalid` for a cluster, which the programs that are read
/// never used.
pub async fn read_keys(options: RedisOptions, prefix: &str) -> Result<Vec<(String, LegacyValue)>> {
    if options.arrangement == Arrangement::Cluster {
        return Err(Error::new(
            Code::SettingInvalid,
            "the original never ran on a cluster",
            "Name its single server: redis://host:port/db.",
        ));
    }
    let connection = Connection::new(options)?;
    let keys = scan(&connection, &literal(prefix)).await?;
    if keys.len() > MAX_KEYS {
        return Err(Error::invalid(format!("the source holds more than {MAX_KEYS} keys")));
    }
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
        if let Some(value) = read_key(&connection, &key).await? {
            found.push((key.strip_prefix(prefix).unwrap_or(&key).to_owned(), value));
        }
    }
    Ok(found)
}

/// Nothing where the key has gone meanwhile.
async fn read_key(connection: &Connection, key: &str) -> Result<Option<LegacyValue>> {
    let mut command = redis::cmd("TYPE");
    command.arg(key);
    let kind: String = read(connection.command("read a legacy key", &command, Repeat::Safe).await?, "TYPE")?;
    let name = match kind.as_str() {
        "none" => return Ok(None),
        "string" => "GET",
        "hash" => "HGETALL",
        other => return Ok(Some(LegacyValue::Unreadable(format!("it is a {other}, which the original never wrote")))),
    };
    let mut command = redis::cmd(name);
    command.arg(key);
    let value = connection.command("read a legacy key", &command, Repeat::Safe).await?;
    let value = match name {
        "GET" => read::<Option<String>>(value, name).map(|text| text.map(LegacyValue::Text)),
        _ => read::<Vec<(String, String)>>(value, name).map(|fields| Some(LegacyValue::Hash(fields))),
    };
    Ok(value.unwrap_or_else(|_| Some(LegacyValue::Unreadable("it is no UTF-8 text".into()))))
}

/// A pattern that matches this text alone.
fn literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if "*?[]\\^".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_taken_letter_for_letter() {
        assert_eq!(literal("a*[b]?:"), "a\\*\\[b\\]\\?:");
    }
}
