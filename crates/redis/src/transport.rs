//! The choice of a transport on Redis.

use crate::connection::{Connection, Repeat, read};
use crate::keys::{Keys, encode};
use crate::scripts;
use async_trait::async_trait;
use mainstay_core::api::{Namespace, RawJson, Timestamp};
use mainstay_core::events::{SetTransport, TransportOutcome, TransportRecord, TransportStore};
use mainstay_core::{Error, Result};
use std::sync::Arc;

/// The choice of a transport in Redis.
pub(crate) struct RedisTransport {
    connection: Arc<Connection>,
    keys: Keys,
}

impl RedisTransport {
    /// The choice over a connection.
    pub fn new(connection: Arc<Connection>, keys: Keys) -> Self {
        Self { connection, keys }
    }
}

#[async_trait]
impl TransportStore for RedisTransport {
    async fn transport(&self, namespace: &Namespace) -> Result<Option<TransportRecord>> {
        let script = &scripts::TRANSPORT_READ;
        let key = self.keys.transport(&encode(namespace.as_str()));
        let row: Vec<String> = read(self.connection.script(script, &key, &[], Repeat::Safe).await?, script.name)?;
        let [settings, version, at, by] = row.as_slice() else { return Ok(None) };
        let broken = |what: &str| Error::inconsistent(format!("the stored {what} of a transport cannot be read"));
        Ok(Some(TransportRecord {
            settings: RawJson::parse(settings).map_err(|_| broken("settings"))?,
            version: version.parse().map_err(|_| broken("version"))?,
            updated_at: Timestamp::from_millis(at.parse().map_err(|_| broken("time"))?),
            updated_by: by.clone(),
        }))
    }

    async fn set_transport(&self, set: SetTransport) -> Result<TransportOutcome> {
        let namespace = encode(set.namespace.as_str());
        let expected = set.expected.map(|version| version.to_string()).unwrap_or_default();
        let (now, channel) = (set.now.as_millis().to_string(), self.keys.channel());
        let args: [&[u8]; 6] = [
            set.settings.as_str().as_bytes(),
            expected.as_bytes(),
            now.as_bytes(),
            set.by.as_bytes(),
            channel.as_bytes(),
            namespace.as_bytes(),
        ];
        let script = &scripts::TRANSPORT_SET;
        let key = self.keys.transport(&namespace);
        let (word, version): (String, u64) =
            read(self.connection.script(script, &key, &args, Repeat::Safe).await?, script.name)?;
        match word.as_str() {
            "stored" => Ok(TransportOutcome::Stored(version)),
            "conflict" => Ok(TransportOutcome::Conflict { current: version }),
            other => Err(Error::inconsistent(format!("{} answered {other:?}", script.name))),
        }
    }
}
