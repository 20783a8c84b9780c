//! The port of mail on the model.

use super::state::{Log, Memo};
use super::wakeups::Wakeups;
use async_trait::async_trait;
use mainstay_core::api::mail::{Imported, InboxCounts, MailStats};
use mainstay_core::api::{Epoch, InstanceId, MessageId, Namespace, Timestamp};
use mainstay_core::mail::{
    AckOutcome, Acknowledge, Append, Appended, ListPage, ListQuery, MailStore, MarkRead, Merge, RequestMemo, Row,
    TailPage, TailQuery,
};
use mainstay_core::{Error, Result};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Mail in memory: one lock around every namespace.
pub(super) struct ModelMail {
    logs: Mutex<BTreeMap<Namespace, Log>>,
    wakeups: Arc<Wakeups>,
}

impl ModelMail {
    pub fn new(wakeups: Arc<Wakeups>) -> Self {
        Self { logs: Mutex::default(), wakeups }
    }

    /// One atomic step on the mail of a namespace.
    fn step<T>(&self, namespace: &Namespace, step: impl FnOnce(&mut Log) -> T) -> Result<T> {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(log) = logs.get_mut(namespace) {
            return Ok(step(log));
        }
        let epoch = Epoch::parse(format!("model{}", logs.len())).map_err(|e| Error::bug(e.to_string()))?;
        Ok(step(logs.entry(namespace.clone()).or_insert(Log::new(epoch))))
    }
}

#[async_trait]
impl MailStore for ModelMail {
    async fn append(&self, append: Append) -> Result<Appended> {
        let namespace = append.namespace.clone();
        let (appended, changed) = self.step(&namespace, |log| log.append(append))?;
        self.wakeups.mail(&namespace, changed);
        Ok(appended)
    }

    async fn recall(&self, namespace: &Namespace, memo: &RequestMemo, now: Timestamp) -> Result<Option<Appended>> {
        self.step(namespace, |log| log.remembered(memo, now))
    }

    async fn merge(&self, merge: Merge) -> Result<Imported> {
        let namespace = merge.append.namespace.clone();
        let (imported, changed) = self.step(&namespace, |log| log.merge(merge))?;
        self.wakeups.mail(&namespace, changed);
        Ok(imported)
    }

    async fn find(
        &self,
        namespace: &Namespace,
        id: &MessageId,
        viewer: Option<&InstanceId>,
        now: Timestamp,
    ) -> Result<Option<(Epoch, Row)>> {
        self.step(namespace, |log| {
            let epoch = log.epoch.clone();
            log.find(id, now).map(|message| (epoch, message.row(viewer, true)))
        })
    }

    async fn list(&self, query: ListQuery) -> Result<ListPage> {
        self.step(&query.namespace, |log| log.list(&query))
    }

    async fn tail(&self, query: TailQuery) -> Result<TailPage> {
        self.step(&query.namespace, |log| log.tail(&query))
    }

    async fn acknowledge(&self, acknowledge: Acknowledge) -> Result<AckOutcome> {
        let outcome = self.step(&acknowledge.namespace, |log| log.acknowledge(&acknowledge))?;
        if matches!(outcome, AckOutcome::Stands { already: false, .. }) {
            self.wakeups.mail(&acknowledge.namespace, vec![acknowledge.recipient]);
        }
        Ok(outcome)
    }

    async fn mark_read(&self, mark: MarkRead) -> Result<u32> {
        let marked = self.step(&mark.namespace, |log| log.mark_read(&mark))?;
        if marked > 0 {
            self.wakeups.mail(&mark.namespace, vec![mark.recipient]);
        }
        Ok(marked)
    }

    async fn join(&self, namespace: &Namespace, instance: &InstanceId, now: Timestamp) -> Result<bool> {
        let joined = self.step(namespace, |log| log.join(instance, now))?;
        if joined {
            self.wakeups.mail(namespace, vec![instance.clone()]);
        }
        Ok(joined)
    }

    async fn counts(&self, namespace: &Namespace, instance: &InstanceId) -> Result<InboxCounts> {
        self.step(namespace, |log| log.counts(instance))
    }

    async fn stats(&self, namespace: &Namespace) -> Result<MailStats> {
        self.step(namespace, |log| log.stats())
    }

    async fn purge(&self, now: Timestamp, members_since: Timestamp, limit: u32) -> Result<u32> {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        let mut purged = 0;
        for (namespace, log) in logs.iter_mut() {
            let (deleted, changed) = log.purge(now, members_since, limit - purged);
            purged += deleted;
            self.wakeups.mail(namespace, changed);
        }
        Ok(purged)
    }
}

impl Log {
    /// Stores a new message. Returns the inboxes that changed.
    fn append(&mut self, append: Append) -> (Appended, Vec<InstanceId>) {
        if let Some(earlier) = append.memo.as_ref().and_then(|memo| self.remembered(memo, append.now)) {
            return (earlier, Vec::new());
        }
        if self.find(&append.id, append.now).is_some() {
            return (Appended::DuplicateId, Vec::new());
        }
        self.free_expired(&append.id, append.now);
        let (limits, recipients) = (append.limits, self.recipients_of(&append));
        let is_full = |inbox: &&InstanceId| self.live_pending(inbox, append.now) >= limits.max_pending as usize;
        if append.requires_ack
            && let Some(full) = recipients.iter().find(is_full)
        {
            return (Appended::InboxFull(full.clone()), Vec::new());
        }
        if !self.make_room(limits.max_messages) {
            return (Appended::NamespaceFull, Vec::new());
        }
        if let Some(memo) = append.memo.clone() {
            let id = append.id.clone();
            self.memos.insert(memo.key, Memo { fingerprint: memo.fingerprint, id, until: memo.until });
        }
        let offset = self.push(append, &recipients).offset;
        self.trim_all(&recipients, limits.max_inbox);
        let delivered = u32::try_from(recipients.len()).unwrap_or(u32::MAX);
        (Appended::Stored { offset, epoch: self.epoch.clone(), delivered }, recipients)
    }

    /// What an earlier append with the same request id came to.
    fn remembered(&self, asked: &RequestMemo, now: Timestamp) -> Option<Appended> {
        let known = self.memos.get(&asked.key).filter(|known| known.until > now)?;
        let same = known.fingerprint == asked.fingerprint;
        Some(if same { Appended::Replayed(known.id.clone()) } else { Appended::MemoMismatch })
    }

    fn acknowledge(&mut self, acknowledge: &Acknowledge) -> AckOutcome {
        let epoch = self.epoch.clone();
        let Some(message) = self.find_mut(&acknowledge.id, acknowledge.ack.at) else {
            return AckOutcome::NotFound;
        };
        let Some(delivered) = message.delivery_mut(&acknowledge.recipient) else {
            return AckOutcome::NotRecipient;
        };
        if delivered.receipt.ack.is_none() {
            delivered.receipt.read_at.get_or_insert(acknowledge.ack.at);
        }
        let stands = delivered.receipt.ack.get_or_insert_with(|| acknowledge.ack.clone());
        // A repetition of the very same is answered as the first time was: its answer may have been lost.
        let already = *stands != acknowledge.ack;
        AckOutcome::Stands { row: Box::new(message.row(Some(&acknowledge.recipient), false)), epoch, already }
    }

    /// Deletes what has expired and forgets silent members. Returns how many messages, and the inboxes that changed.
    fn purge(&mut self, now: Timestamp, members_since: Timestamp, limit: u32) -> (u32, Vec<InstanceId>) {
        self.members.retain(|_, seen| *seen >= members_since);
        self.memos.retain(|_, memo| memo.until > now);
        let (mut deleted, mut changed) = (0, Vec::new());
        while deleted < limit {
            let Some(at) = self.messages.iter().position(|message| message.has_expired(now)) else {
                break;
            };
            changed.extend(self.messages[at].deliveries.iter().map(|d| d.receipt.recipient.clone()));
            self.delete(at);
            deleted += 1;
        }
        (deleted, changed)
    }
}
