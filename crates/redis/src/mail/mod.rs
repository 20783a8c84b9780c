//! Mail on Redis: each method is one script on the aggregate of its namespace.

pub(crate) mod params;
mod rows;

pub(crate) use params::new_epoch;

use crate::answer::Answer;
use crate::connection::{Connection, Repeat, read};
use crate::keys::{self, Keys, encode};
use crate::scripts::{self, Script};
use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::mail::{Imported, InboxCounts, MailStats};
use mainstay_core::api::{Epoch, InstanceId, MessageId, Namespace, Timestamp};
use mainstay_core::mail::{
    AckOutcome, Acknowledge, Append, Appended, ListPage, ListQuery, MAX_BROADCASTS_ON_JOIN, MailStore, MarkRead, Merge,
    Place, RequestMemo, Row, TailPage, TailQuery,
};
use std::sync::Arc;

/// Mail in Redis.
pub(crate) struct RedisMail {
    connection: Arc<Connection>,
    keys: Keys,
}

impl RedisMail {
    /// Mail over a connection.
    pub fn new(connection: Arc<Connection>, keys: Keys) -> Self {
        Self { connection, keys }
    }

    async fn run(&self, script: &Script, namespace: &Namespace, args: &[&[u8]], repeat: Repeat) -> Result<Answer> {
        let key = self.keys.mail(&encode(namespace.as_str()));
        Answer::of(self.connection.script(script, &key, args, repeat).await?, script.name)
    }

    /// The channel of the wake-ups, and the namespace as they name it.
    fn wake(&self, namespace: &Namespace) -> (String, String) {
        (self.keys.channel(), encode(namespace.as_str()))
    }

    /// Remembers a namespace for maintenance, and in the namespace that this was done. Where it fails, the next write
    /// tries again, and the keys expire by themselves.
    async fn note_namespace(&self, namespace: &str) {
        let mut add = redis::cmd("SADD");
        add.arg(self.keys.namespaces()).arg(namespace);
        let mut done = redis::cmd("HSET");
        done.arg(self.keys.mail(namespace)).arg("noted").arg(1);
        for command in [add, done] {
            if let Err(error) = self.connection.command("note the namespace", &command, Repeat::Safe).await {
                tracing::warn!(namespace, %error, "a new namespace could not be noted for maintenance");
                return;
            }
        }
    }
}

#[async_trait]
impl MailStore for RedisMail {
    async fn append(&self, append: Append) -> Result<Appended> {
        let repeat = if append.memo.is_some() { Repeat::Safe } else { Repeat::Never };
        let params = params::append(&append, &self.keys)?;
        let args: [&[u8]; 3] = [&params, &append.document, append.subject_folded.as_bytes()];
        let mut answer = self.run(&scripts::MAIL_APPEND, &append.namespace, &args, repeat).await?;
        let word: String = answer.next()?;
        match word.as_str() {
            "stored" => {
                let offset = rows::offset(&answer.next::<String>()?)?;
                let epoch = answer.epoch()?;
                let delivered = answer.next()?;
                if answer.next::<u8>()? == 1 {
                    self.note_namespace(&encode(append.namespace.as_str())).await;
                }
                Ok(Appended::Stored { offset, epoch, delivered })
            }
            "replayed" => Ok(Appended::Replayed(answer.id()?)),
            "memo_mismatch" => Ok(Appended::MemoMismatch),
            "duplicate_id" => Ok(Appended::DuplicateId),
            "inbox_full" => Ok(Appended::InboxFull(keys::instance(&answer.next::<String>()?)?)),
            "namespace_full" => Ok(Appended::NamespaceFull),
            other => Err(answer.unknown(other)),
        }
    }

    async fn recall(&self, namespace: &Namespace, memo: &RequestMemo, now: Timestamp) -> Result<Option<Appended>> {
        let (key, now) = (encode(&memo.key), now.as_millis().to_string());
        let args: [&[u8]; 3] = [key.as_bytes(), memo.fingerprint.as_bytes(), now.as_bytes()];
        let mut answer = self.run(&scripts::MAIL_RECALL, namespace, &args, Repeat::Safe).await?;
        if answer.is_empty() {
            return Ok(None);
        }
        let word: String = answer.next()?;
        match word.as_str() {
            "replayed" => Ok(Some(Appended::Replayed(answer.id()?))),
            "memo_mismatch" => Ok(Some(Appended::MemoMismatch)),
            other => Err(answer.unknown(other)),
        }
    }

    async fn merge(&self, merge: Merge) -> Result<Imported> {
        let (params, acks) = params::merge(&merge, &self.keys)?;
        let mut args: Vec<&[u8]> = vec![&params, &merge.append.document, merge.append.subject_folded.as_bytes()];
        args.extend(acks.iter().map(Vec::as_slice));
        let namespace = &merge.append.namespace;
        let mut answer = self.run(&scripts::MAIL_MERGE, namespace, &args, Repeat::Safe).await?;
        let word: String = answer.next()?;
        if answer.next::<u8>()? == 1 {
            self.note_namespace(&encode(namespace.as_str())).await;
        }
        match word.as_str() {
            "created" => Ok(Imported::Created),
            "updated" => Ok(Imported::Updated),
            "unchanged" => Ok(Imported::Unchanged),
            "conflict" => Ok(Imported::Conflict),
            other => Err(answer.unknown(other)),
        }
    }

    async fn find(
        &self,
        namespace: &Namespace,
        id: &MessageId,
        viewer: Option<&InstanceId>,
        now: Timestamp,
    ) -> Result<Option<(Epoch, Row)>> {
        let (id, now, epoch) = (encode(id.as_str()), now.as_millis().to_string(), params::new_epoch());
        let viewer_name = viewer.map(|viewer| encode(viewer.as_str())).unwrap_or_default();
        let args: [&[u8]; 4] = [id.as_bytes(), viewer_name.as_bytes(), now.as_bytes(), epoch.as_bytes()];
        let mut answer = self.run(&scripts::MAIL_FIND, namespace, &args, Repeat::Safe).await?;
        if answer.is_empty() {
            return Ok(None);
        }
        let epoch = answer.epoch()?;
        Ok(Some((epoch, rows::row(answer.next()?, viewer, true)?)))
    }

    async fn list(&self, query: ListQuery) -> Result<ListPage> {
        let params = params::list(&query)?;
        let text = query.subject_folded.as_deref().unwrap_or_default();
        let args: [&[u8]; 2] = [&params, text.as_bytes()];
        let mut answer = self.run(&scripts::MAIL_LIST, &query.namespace, &args, Repeat::Safe).await?;
        let epoch = answer.epoch()?;
        let rows = rows::rows(answer.next()?, query.viewer.as_ref(), query.receipts)?;
        let (millis, offset): (String, String) = (answer.next()?, answer.next()?);
        let next = if offset.is_empty() {
            None
        } else {
            let millis = millis.parse().map_err(|_| answer.unknown(&millis))?;
            Some(Place { timestamp: Timestamp::from_millis(millis), offset: rows::offset(&offset)? })
        };
        Ok(ListPage { epoch, rows, next })
    }

    async fn tail(&self, query: TailQuery) -> Result<TailPage> {
        let params = params::tail(&query)?;
        let mut answer = self.run(&scripts::MAIL_TAIL, &query.namespace, &[&params], Repeat::Safe).await?;
        let epoch = answer.epoch()?;
        let rows = rows::rows(answer.next()?, Some(&query.recipient), false)?;
        let position = rows::offset(&answer.next::<String>()?)?;
        let more = answer.next::<u8>()? == 1;
        let dropped: String = answer.next()?;
        let dropped_to = if dropped.is_empty() { None } else { Some(rows::offset(&dropped)?) };
        let member = answer.next::<u8>()? == 1;
        Ok(TailPage { epoch, rows, position, more, dropped_to, member })
    }

    async fn acknowledge(&self, acknowledge: Acknowledge) -> Result<AckOutcome> {
        let (id, name) = (encode(acknowledge.id.as_str()), encode(acknowledge.recipient.as_str()));
        let (ack, epoch) = (params::ack(&acknowledge.ack)?, params::new_epoch());
        let now = acknowledge.ack.at.as_millis().to_string();
        let (channel, namespace) = self.wake(&acknowledge.namespace);
        let args: [&[u8]; 7] = [
            id.as_bytes(),
            name.as_bytes(),
            &ack,
            now.as_bytes(),
            epoch.as_bytes(),
            channel.as_bytes(),
            namespace.as_bytes(),
        ];
        let mut answer = self.run(&scripts::MAIL_ACKNOWLEDGE, &acknowledge.namespace, &args, Repeat::Safe).await?;
        let word: String = answer.next()?;
        match word.as_str() {
            "not_found" => Ok(AckOutcome::NotFound),
            "not_recipient" => Ok(AckOutcome::NotRecipient),
            "stands" => {
                let epoch = answer.epoch()?;
                let row = rows::row(answer.next()?, Some(&acknowledge.recipient), false)?;
                Ok(AckOutcome::Stands { row: Box::new(row), epoch, already: answer.next::<u8>()? == 1 })
            }
            other => Err(answer.unknown(other)),
        }
    }

    async fn mark_read(&self, mark: MarkRead) -> Result<u32> {
        let ids: Vec<String> = mark.ids.iter().map(|id| encode(id.as_str())).collect();
        let (name, now) = (encode(mark.recipient.as_str()), mark.now.as_millis().to_string());
        let (channel, namespace) = self.wake(&mark.namespace);
        let mut args: Vec<&[u8]> = vec![name.as_bytes(), now.as_bytes(), channel.as_bytes(), namespace.as_bytes()];
        args.extend(ids.iter().map(String::as_bytes));
        let key = self.keys.mail(&namespace);
        let script = &scripts::MAIL_MARK_READ;
        read(self.connection.script(script, &key, &args, Repeat::Safe).await?, script.name)
    }

    async fn join(&self, namespace: &Namespace, instance: &InstanceId, now: Timestamp) -> Result<bool> {
        let (name, now) = (encode(instance.as_str()), now.as_millis().to_string());
        let (most, epoch) = (MAX_BROADCASTS_ON_JOIN.to_string(), params::new_epoch());
        let (channel, segment) = self.wake(namespace);
        let args: [&[u8]; 6] = [
            name.as_bytes(),
            now.as_bytes(),
            most.as_bytes(),
            epoch.as_bytes(),
            channel.as_bytes(),
            segment.as_bytes(),
        ];
        let mut answer = self.run(&scripts::MAIL_JOIN, namespace, &args, Repeat::Safe).await?;
        let joined = answer.next::<u8>()? == 1;
        if answer.next::<u8>()? == 1 {
            self.note_namespace(&encode(namespace.as_str())).await;
        }
        Ok(joined)
    }

    async fn counts(&self, namespace: &Namespace, instance: &InstanceId) -> Result<InboxCounts> {
        let name = encode(instance.as_str());
        let mut answer = self.run(&scripts::MAIL_COUNTS, namespace, &[name.as_bytes()], Repeat::Safe).await?;
        Ok(InboxCounts { total: answer.next()?, unread: answer.next()?, pending: answer.next()? })
    }

    async fn stats(&self, namespace: &Namespace) -> Result<MailStats> {
        let mut answer = self.run(&scripts::MAIL_STATS, namespace, &[], Repeat::Safe).await?;
        Ok(MailStats {
            total_messages: answer.next()?,
            pending_messages: answer.next()?,
            instances: answer.next()?,
            messages_by_type: answer.next()?,
        })
    }

    async fn purge(&self, now: Timestamp, members_since: Timestamp, limit: u32) -> Result<u32> {
        let mut command = redis::cmd("SMEMBERS");
        command.arg(self.keys.namespaces());
        let listed = self.connection.command("list the namespaces", &command, Repeat::Safe).await?;
        let (now, since) = (now.as_millis().to_string(), members_since.as_millis().to_string());
        let mut deleted = 0;
        for segment in read::<Vec<String>>(listed, "SMEMBERS")? {
            let namespace = keys::namespace(&segment)?;
            // One step deletes little, so that others are served in between.
            while deleted < limit {
                let most = (limit - deleted).to_string();
                let channel = self.keys.channel();
                let args: [&[u8]; 5] =
                    [now.as_bytes(), since.as_bytes(), most.as_bytes(), channel.as_bytes(), segment.as_bytes()];
                let mut answer = self.run(&scripts::MAIL_PURGE, &namespace, &args, Repeat::Safe).await?;
                match answer.next::<u32>()? {
                    0 => break,
                    step => deleted += step,
                }
            }
        }
        Ok(deleted)
    }
}
