//! The rules of mail.

mod sending;

use crate::error::{Error, Result};
use crate::mail::parse::{self, Envelope};
use crate::mail::port::{
    AckOutcome, Acknowledge, InboxLimits, ListQuery, MailStore, MarkRead, Merge, Recipients, TailPage, TailQuery,
};
use crate::mail::refusals::{not_found, not_recipient};
use crate::{Caller, Clock, Mint, Scope};
use futures::{StreamExt, TryStreamExt, stream};
use mainstay_api::mail::{
    Ack, AckMessage, Acknowledged, DEFAULT_PAGE, Gap, ImportMessages, ImportOutcomes, Imported, Inbox, InboxCounts,
    ListMessages, MAX_PAGE, MailStats, MarkedRead, Message, ReadInbox, Start,
};
use mainstay_api::page::Page;
use mainstay_api::{Code, InstanceId, MessageId, MessageType, Namespace, Offset, Position, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How often an id that was just made may turn out to exist before the send gives up.
const MINT_ATTEMPTS: u32 = 8;
/// How long it is remembered that an instance has joined, in milliseconds: short, so that a store which was emptied
/// meanwhile gets its members back soon.
const JOINED_MS: i64 = 60_000;
/// Most instances remembered as joined.
const MAX_JOINED: usize = 10_000;
/// Most messages of one import call.
const MAX_IMPORT: usize = 500;
/// Messages of an import that are on their way to the store at once, so that they can share a commit.
const MERGES_IN_FLIGHT: usize = 64;
/// Furthest expiry that a sender may ask for, in milliseconds: ten years.
const MAX_EXPIRY_MS: i64 = 3_653 * 24 * 60 * 60 * 1_000;

/// What is configured about mail.
#[derive(Debug, Clone)]
pub struct MailRules {
    /// How long a message is kept, in milliseconds, where the sender does not say.
    pub retention_ms: i64,
    /// The bounds of inboxes.
    pub limits: InboxLimits,
    /// Types accepted besides the known ones.
    pub extra_types: Vec<MessageType>,
}

impl Default for MailRules {
    /// 30 days, as the original kept messages; 100,000 messages and 10,000 pending ones an inbox, 1,000,000 in all.
    fn default() -> Self {
        Self {
            retention_ms: 30 * 24 * 60 * 60 * 1_000,
            limits: InboxLimits { max_inbox: 100_000, max_pending: 10_000, max_messages: 1_000_000 },
            extra_types: Vec::new(),
        }
    }
}

/// Mail: every operation, for every surface.
pub struct MailService {
    store: Arc<dyn MailStore>,
    clock: Arc<dyn Clock>,
    mint: Arc<dyn Mint>,
    rules: MailRules,
    joined: Mutex<HashMap<(Namespace, InstanceId), Timestamp>>,
}

impl MailService {
    /// Mail on a store.
    #[must_use]
    pub fn new(store: Arc<dyn MailStore>, clock: Arc<dyn Clock>, mint: Arc<dyn Mint>, rules: MailRules) -> Self {
        Self { store, clock, mint, rules, joined: Mutex::default() }
    }

    /// Reads one message with every receipt.
    ///
    /// # Errors
    /// `mail.not_found`.
    pub async fn read(&self, caller: &Caller, id: &MessageId) -> Result<Message> {
        caller.require(Scope::MailRead)?;
        if caller.instance.is_some() {
            self.ensure_joined(caller).await?;
        }
        self.find(caller, id).await
    }

    /// Lists messages.
    ///
    /// # Errors
    /// An invalid limit or cursor.
    pub async fn list(&self, caller: &Caller, list: ListMessages) -> Result<Page<Message>> {
        caller.require(Scope::MailRead)?;
        if caller.instance.is_some() && list.recipient == caller.instance {
            self.ensure_joined(caller).await?;
        }
        let query = ListQuery {
            namespace: caller.namespace.clone(),
            recipient: list.recipient,
            sender: list.sender,
            kind: list.kind,
            thread: list.thread,
            pending: list.pending,
            since: list.since,
            until: list.until,
            subject_folded: list.subject.filter(|text| !text.is_empty()).map(|text| text.to_lowercase()),
            oldest_first: list.oldest_first,
            limit: page_limit(list.limit)?,
            after: list.cursor.as_deref().map(parse::from_cursor).transpose()?,
            viewer: caller.instance.clone(),
            receipts: list.receipts,
            now: self.clock.now(),
        };
        let page = self.store.list(query).await?;
        let items = page.rows.into_iter().map(|row| parse::message(row, &page.epoch)).collect::<Result<_>>()?;
        Ok(Page { items, next: page.next.map(parse::to_cursor) })
    }

    /// Reads the caller's inbox from a position, without waiting.
    ///
    /// # Errors
    /// An invalid limit, or no instance.
    pub async fn inbox(&self, caller: &Caller, read: &ReadInbox) -> Result<Inbox> {
        caller.require(Scope::MailRead)?;
        let recipient = caller.instance()?.clone();
        self.ensure_joined(caller).await?;
        let mut query = TailQuery {
            namespace: caller.namespace.clone(),
            recipient: recipient.clone(),
            after: Offset(0),
            unread_only: false,
            kind: read.kind.clone(),
            sender: read.sender.clone(),
            limit: page_limit(read.limit)?,
            now: self.clock.now(),
        };
        let mut gap = None;
        let page = match &read.after {
            Start::Unread => {
                query.unread_only = true;
                self.tail(caller, query).await?
            }
            Start::Oldest => self.tail(caller, query).await?,
            Start::Now => {
                query.limit = 0;
                TailPage { more: false, ..self.tail(caller, query).await? }
            }
            Start::After(position) => {
                query.after = position.offset;
                let page = self.tail(caller, query.clone()).await?;
                if page.epoch == position.epoch {
                    if page.dropped_to.is_some_and(|dropped| dropped > position.offset) {
                        gap = Some(Gap::Trimmed);
                    }
                    page
                } else {
                    gap = Some(Gap::NewEpoch);
                    self.tail(caller, TailQuery { after: Offset(0), unread_only: true, ..query }).await?
                }
            }
        };
        let messages: Vec<Message> =
            page.rows.into_iter().map(|row| parse::message(row, &page.epoch)).collect::<Result<_>>()?;
        if read.mark_read {
            let ids = messages.iter().map(|message| message.content.id.clone()).collect();
            self.mark(caller, recipient, ids).await?;
        }
        Ok(Inbox { messages, position: Position { epoch: page.epoch, offset: page.position }, more: page.more, gap })
    }

    /// Acknowledges a message for the caller, or on behalf of a recipient.
    ///
    /// # Errors
    /// `mail.not_found`, `mail.not_a_recipient`.
    pub async fn acknowledge(&self, caller: &Caller, id: &MessageId, ack: AckMessage) -> Result<Acknowledged> {
        caller.require(Scope::MailWrite)?;
        let by = caller.instance()?.clone();
        let recipient = match ack.on_behalf_of {
            Some(other) if other != by => {
                caller.require(Scope::MailAdmin)?;
                other
            }
            _ => {
                self.ensure_joined(caller).await?;
                by.clone()
            }
        };
        let ack = Ack { by, at: self.clock.now(), comment: parse::comment(ack.comment)? };
        let acknowledge =
            Acknowledge { namespace: caller.namespace.clone(), id: id.clone(), recipient: recipient.clone(), ack };
        match self.store.acknowledge(acknowledge).await? {
            AckOutcome::Stands { row, epoch, already } => {
                let message = parse::message(*row, &epoch)?;
                let standing = message.receipt.as_ref().and_then(|receipt| receipt.ack.clone());
                let ack = standing.ok_or_else(|| Error::inconsistent(format!("{id} stands without its ack")))?;
                tracing::info!(%id, %recipient, by = %ack.by, already, "message acknowledged");
                Ok(Acknowledged { message, ack, already })
            }
            AckOutcome::NotFound => Err(not_found(id)),
            AckOutcome::NotRecipient => Err(not_recipient(id, &recipient)),
        }
    }

    /// Marks messages in the caller's inbox as read.
    ///
    /// # Errors
    /// No instance, or too many ids.
    pub async fn mark_read(&self, caller: &Caller, ids: Vec<MessageId>) -> Result<MarkedRead> {
        caller.require(Scope::MailWrite)?;
        if ids.len() > MAX_PAGE as usize {
            return Err(Error::invalid(format!("ids: {}, at most {MAX_PAGE} at a time", ids.len())));
        }
        let recipient = caller.instance()?.clone();
        self.ensure_joined(caller).await?;
        Ok(MarkedRead { marked: self.mark(caller, recipient, ids).await? })
    }

    /// Counts the caller's mail.
    ///
    /// # Errors
    /// No instance.
    pub async fn counts(&self, caller: &Caller) -> Result<InboxCounts> {
        caller.require(Scope::MailRead)?;
        let instance = caller.instance()?;
        self.ensure_joined(caller).await?;
        self.store.counts(&caller.namespace, instance).await
    }

    /// The mail of the namespace in numbers.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn stats(&self, caller: &Caller) -> Result<MailStats> {
        caller.require(Scope::MailRead)?;
        self.store.stats(&caller.namespace).await
    }

    /// Imports messages with their state. Needs the scope `mail:admin`.
    ///
    /// # Errors
    /// Too many messages, or recipients that cannot be.
    pub async fn import(&self, caller: &Caller, import: ImportMessages) -> Result<ImportOutcomes> {
        caller.require(Scope::MailAdmin)?;
        if import.messages.len() > MAX_IMPORT {
            let count = import.messages.len();
            return Err(Error::invalid(format!("messages: {count}, at most {MAX_IMPORT} at a time")));
        }
        let now = self.clock.now();
        let merges =
            import.messages.into_iter().map(|message| self.merge_of(&caller.namespace, message, import.dry_run, now));
        let mut merges = merges.collect::<Result<Vec<_>>>()?.into_iter();
        let mut outcomes = Vec::with_capacity(merges.len());
        // The first alone: what a store has to prepare is then ready, and the others arrive in their order.
        if let Some(first) = merges.next() {
            outcomes.push(self.store.merge(first).await?);
        }
        let rest = stream::iter(merges).map(|merge| self.store.merge(merge)).buffered(MERGES_IN_FLIGHT);
        outcomes.extend(rest.try_collect::<Vec<_>>().await?);
        Ok(ImportOutcomes { outcomes })
    }

    /// Imports one message for a mirror.
    ///
    /// # Errors
    /// `import.conflict` where the mirror holds another message under the same id.
    pub(super) async fn import_one(
        &self,
        namespace: &Namespace,
        message: mainstay_api::mail::ImportMessage,
    ) -> Result<()> {
        let id = message.content.id.clone();
        let merge = self.merge_of(namespace, message, false, self.clock.now())?;
        match self.store.merge(merge).await? {
            Imported::Conflict => Err(Error::new(
                Code::ImportConflict,
                format!("the mirror holds another message under the id {:?}", id.as_str()),
                "Compare the two with `mainstay parity`.",
            )),
            Imported::Created | Imported::Updated | Imported::Unchanged => Ok(()),
        }
    }

    /// Deletes expired messages, at most `limit`; for the maintenance job.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn purge(&self, limit: u32) -> Result<u32> {
        let now = self.clock.now();
        let members_since = Timestamp::from_millis(now.as_millis() - self.rules.retention_ms);
        self.store.purge(now, members_since, limit).await
    }

    async fn find(&self, caller: &Caller, id: &MessageId) -> Result<Message> {
        let found = self.store.find(&caller.namespace, id, caller.instance.as_ref(), self.clock.now()).await?;
        let (epoch, row) = found.ok_or_else(|| not_found(id))?;
        parse::message(row, &epoch)
    }

    async fn mark(&self, caller: &Caller, recipient: InstanceId, ids: Vec<MessageId>) -> Result<u32> {
        if ids.is_empty() {
            return Ok(0);
        }
        let namespace = caller.namespace.clone();
        self.store.mark_read(MarkRead { namespace, recipient, ids, now: self.clock.now() }).await
    }

    fn merge_of(
        &self,
        namespace: &Namespace,
        message: mainstay_api::mail::ImportMessage,
        dry_run: bool,
        now: Timestamp,
    ) -> Result<Merge> {
        let recipients = parse::recipients(&message.content.to)?;
        let kept_until = Timestamp::from_millis(now.as_millis() + self.rules.retention_ms);
        let envelope = Envelope {
            namespace: namespace.clone(),
            recipients,
            limits: self.rules.limits,
            expires_at: message.content.expires_at.unwrap_or(kept_until),
            now,
        };
        let append = parse::append(&message.content, envelope)?;
        let named = match &append.recipients {
            Recipients::Named(named) => named.as_slice(),
            Recipients::Everyone => &[],
        };
        if let Some(stray) =
            message.receipts.iter().find(|receipt| !named.is_empty() && !named.contains(&receipt.recipient))
        {
            let id = &message.content.id;
            return Err(Error::invalid(format!("receipts of {id}: {} is not a recipient", stray.recipient)));
        }
        Ok(Merge { append, receipts: message.receipts, settled: message.settled, dry_run })
    }

    /// Reads the caller's inbox. Where the store has forgotten the membership that was remembered here (it lost its last
    /// moments, or was emptied), the caller joins again first: a position must not pass broadcasts that would arrive
    /// behind it.
    async fn tail(&self, caller: &Caller, query: TailQuery) -> Result<TailPage> {
        let page = self.store.tail(query.clone()).await?;
        if page.member {
            return Ok(page);
        }
        let key = (query.namespace.clone(), query.recipient.clone());
        self.joined.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        self.ensure_joined(caller).await?;
        self.store.tail(query).await
    }

    /// Makes the caller's instance a member before it reads, so that earlier broadcasts are in its inbox.
    async fn ensure_joined(&self, caller: &Caller) -> Result<()> {
        let instance = caller.instance()?;
        let now = self.clock.now();
        let key = (caller.namespace.clone(), instance.clone());
        let fresh = |at: &Timestamp| now.as_millis() - at.as_millis() < JOINED_MS;
        if self.joined.lock().unwrap_or_else(PoisonError::into_inner).get(&key).is_some_and(fresh) {
            return Ok(());
        }
        self.store.join(&caller.namespace, instance, now).await?;
        let mut joined = self.joined.lock().unwrap_or_else(PoisonError::into_inner);
        if joined.len() >= MAX_JOINED {
            joined.retain(|_, at| fresh(at));
            if joined.len() >= MAX_JOINED {
                joined.clear();
            }
        }
        joined.insert(key, now);
        Ok(())
    }
}

fn page_limit(limit: Option<u32>) -> Result<u32> {
    match limit.unwrap_or(DEFAULT_PAGE) {
        0 => Err(Error::invalid("limit: 0; ask for 1 to 1000 messages")),
        limit if limit > MAX_PAGE => Err(Error::invalid(format!("limit: {limit}; ask for 1 to {MAX_PAGE} messages"))),
        limit => Ok(limit),
    }
}
