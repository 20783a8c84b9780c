//! Presence on Redis.

use crate::connection::{Connection, Repeat, read};
use crate::keys::{self, Keys, encode};
use crate::scripts;
use async_trait::async_trait;
use mainstay_core::api::presence::RegisterInstance;
use mainstay_core::api::{InstanceId, Namespace, Timestamp};
use mainstay_core::presence::{Beat, BeatOutcome, PresenceRow, PresenceStore, Register, RegisterOutcome};
use mainstay_core::{Error, Result};
use redis::Value;
use std::sync::Arc;

/// Presence in Redis.
pub(crate) struct RedisPresence {
    connection: Arc<Connection>,
    keys: Keys,
}

impl RedisPresence {
    /// Presence over a connection.
    pub fn new(connection: Arc<Connection>, keys: Keys) -> Self {
        Self { connection, keys }
    }

    /// Presence that has a namespace of its own in the set of namespaces.
    async fn note_namespace(&self, namespace: &str) {
        let mut command = redis::cmd("SADD");
        command.arg(self.keys.namespaces()).arg(namespace);
        if let Err(error) = self.connection.command("note the namespace", &command, Repeat::Safe).await {
            tracing::warn!(namespace, %error, "a namespace could not be noted for maintenance");
        }
    }
}

#[async_trait]
impl PresenceStore for RedisPresence {
    async fn register(&self, register: Register) -> Result<RegisterOutcome> {
        let namespace = encode(register.namespace.as_str());
        let (name, document) = (encode(register.instance.as_str()), document(&register.details)?);
        let run = register.details.session_id.clone().unwrap_or_default();
        let (now, most) = (register.now.as_millis().to_string(), register.max_instances.to_string());
        let channel = self.keys.channel();
        let args: [&[u8]; 7] = [
            name.as_bytes(),
            &document,
            run.as_bytes(),
            now.as_bytes(),
            most.as_bytes(),
            channel.as_bytes(),
            namespace.as_bytes(),
        ];
        let script = &scripts::PRESENCE_REGISTER;
        let key = self.keys.presence(&namespace);
        let held: u8 = read(self.connection.script(script, &key, &args, Repeat::Safe).await?, script.name)?;
        self.note_namespace(&namespace).await;
        Ok(if held == 1 { RegisterOutcome::Registered } else { RegisterOutcome::Full })
    }

    async fn beat(&self, beat: Beat) -> Result<BeatOutcome> {
        let namespace = encode(beat.namespace.as_str());
        let name = encode(beat.instance.as_str());
        let run = beat.session_id.clone().unwrap_or_default();
        let works = if beat.current_work.is_some() { "1" } else { "0" };
        let work = beat.current_work.unwrap_or_default();
        let (now, most) = (beat.now.as_millis().to_string(), beat.max_instances.to_string());
        let channel = self.keys.channel();
        let unregistered = document(&RegisterInstance { session_id: beat.session_id, ..Default::default() })?;
        let args: [&[u8]; 9] = [
            name.as_bytes(),
            run.as_bytes(),
            works.as_bytes(),
            work.as_bytes(),
            now.as_bytes(),
            most.as_bytes(),
            channel.as_bytes(),
            namespace.as_bytes(),
            &unregistered,
        ];
        let script = &scripts::PRESENCE_BEAT;
        let key = self.keys.presence(&namespace);
        let word: String = read(self.connection.script(script, &key, &args, Repeat::Safe).await?, script.name)?;
        match word.as_str() {
            "beaten" => Ok(BeatOutcome::Beaten),
            "registered" => {
                self.note_namespace(&namespace).await;
                Ok(BeatOutcome::Beaten)
            }
            "superseded" => Ok(BeatOutcome::Superseded),
            "full" => Ok(BeatOutcome::Full),
            other => Err(Error::inconsistent(format!("{} answered {other:?}", script.name))),
        }
    }

    async fn list(&self, namespace: &Namespace) -> Result<Vec<PresenceRow>> {
        type Flat = Vec<Vec<u8>>;
        let script = &scripts::PRESENCE_LIST;
        let key = self.keys.presence(&encode(namespace.as_str()));
        let value: Value = self.connection.script(script, &key, &[], Repeat::Safe).await?;
        let flat: Flat = read(value, script.name)?;
        let mut rows = flat.chunks_exact(6).map(row).collect::<Result<Vec<_>>>()?;
        rows.sort_by(|a, b| a.instance.cmp(&b.instance));
        Ok(rows)
    }

    async fn unregister(&self, namespace: &Namespace, instance: &InstanceId, session_id: Option<&str>) -> Result<bool> {
        let namespace = encode(namespace.as_str());
        let (name, channel) = (encode(instance.as_str()), self.keys.channel());
        let run = session_id.unwrap_or_default();
        let args: [&[u8]; 4] = [name.as_bytes(), run.as_bytes(), channel.as_bytes(), namespace.as_bytes()];
        let script = &scripts::PRESENCE_UNREGISTER;
        let key = self.keys.presence(&namespace);
        let ended: u8 = read(self.connection.script(script, &key, &args, Repeat::Safe).await?, script.name)?;
        Ok(ended == 1)
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u32> {
        let mut command = redis::cmd("SMEMBERS");
        command.arg(self.keys.namespaces());
        let listed = self.connection.command("list the namespaces", &command, Repeat::Safe).await?;
        let (before, channel) = (before.as_millis().to_string(), self.keys.channel());
        let script = &scripts::PRESENCE_PURGE;
        let mut gone = 0;
        for namespace in read::<Vec<String>>(listed, "SMEMBERS")? {
            let most = (limit - gone).to_string();
            let args: [&[u8]; 4] = [before.as_bytes(), most.as_bytes(), channel.as_bytes(), namespace.as_bytes()];
            let key = self.keys.presence(&namespace);
            gone += read::<u32>(self.connection.script(script, &key, &args, Repeat::Safe).await?, script.name)?;
            if gone >= limit {
                break;
            }
        }
        Ok(gone)
    }
}

fn document(details: &RegisterInstance) -> Result<Vec<u8>> {
    serde_json::to_vec(details).map_err(|e| Error::bug(format!("a registration is not JSON: {e}")))
}

fn row(part: &[Vec<u8>]) -> Result<PresenceRow> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let time = |bytes: &[u8]| {
        let parsed = text(bytes).parse::<f64>();
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 are far below 2^53")]
        parsed
            .map(|millis| Timestamp::from_millis(millis as i64))
            .map_err(|_| Error::inconsistent("a stored time of presence cannot be read"))
    };
    let mut details: RegisterInstance = serde_json::from_slice(&part[1])
        .map_err(|e| Error::inconsistent(format!("a stored registration cannot be read: {e}")))?;
    if part[4] == b"1" {
        details.current_work = Some(text(&part[5]));
    }
    Ok(PresenceRow {
        instance: keys::instance(&text(&part[0]))?,
        details,
        registered_at: time(&part[2])?,
        last_beat: time(&part[3])?,
    })
}
