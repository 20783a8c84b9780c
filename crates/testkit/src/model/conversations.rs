//! The port of conversations on the model.

use super::wakeups::Wakeups;
use async_trait::async_trait;
use bytes::Bytes;
use mainstay_core::Result;
use mainstay_core::api::conversations::MessageState;
use mainstay_core::api::{ConversationId, Timestamp};
use mainstay_core::conversations::{
    Append, Appended, ConversationStore, Create, Created, Fork, Forked, From, Full, ListPage, ListQuery, Lookup,
    MAX_PAGE_BYTES, MessageRow, MessagesPage, MessagesQuery, Owner, Patch, Patched, Place, Recalled, Record, Renew,
    Settle, Summary, Take, Taken, TurnKept, TurnRow, Written,
};
use mainstay_core::mail::RequestMemo;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The fence of a message that failed: no turn has it.
const FAILED: u64 = 0;

/// A conversation with everything of it.
struct Conversation {
    record: Record,
    /// The fence given last.
    fence: u64,
    /// The key that the running turn was taken with.
    key: Option<String>,
    messages: Vec<Kept>,
}

#[derive(Clone)]
struct Kept {
    at: Timestamp,
    fence: Option<u64>,
    /// The turn whose answer it waits for.
    pending: Option<u64>,
    document: Bytes,
}

/// What is remembered of a request.
struct Memory {
    memo: RequestMemo,
    conversation: ConversationId,
    /// What an append wrote; `None` where the conversation was begun.
    written: Option<Written>,
}

#[derive(Default)]
struct Estate {
    conversations: BTreeMap<ConversationId, Conversation>,
    memories: BTreeMap<String, Memory>,
}

/// Conversations in memory: one lock around every owner.
pub(super) struct ModelConversations {
    estates: Mutex<BTreeMap<Owner, Estate>>,
    wakeups: Arc<Wakeups>,
}

impl ModelConversations {
    pub fn new(wakeups: Arc<Wakeups>) -> Self {
        Self { estates: Mutex::default(), wakeups }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Owner, Estate>> {
        self.estates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with a conversation that is there.
    fn with<T>(&self, at: &Lookup, act: impl FnOnce(&mut Estate) -> T) -> Option<T> {
        let mut estates = self.lock();
        let estate = estates.get_mut(&at.owner)?;
        estate.alive(&at.id, at.now)?;
        Some(act(estate))
    }
}

impl Estate {
    /// A conversation whose life has not ended. One whose life has is removed in passing, with what is remembered.
    fn alive(&mut self, id: &ConversationId, now: Timestamp) -> Option<&mut Conversation> {
        let dead = self.conversations.get(id)?.record.summary.expires_at.is_some_and(|end| end <= now);
        if dead {
            self.remove(id);
        }
        self.conversations.get_mut(id)
    }

    fn remove(&mut self, id: &ConversationId) -> bool {
        self.memories.retain(|_, memory| memory.conversation != *id || memory.written.is_none());
        self.conversations.remove(id).is_some()
    }

    fn remembered(&mut self, memo: &RequestMemo, now: Timestamp) -> Option<&Memory> {
        self.memories.get(&memo.key).filter(|memory| memory.memo.until > now)
    }

    /// What a request id of a beginning, the id, and the bound say.
    fn may_create(&mut self, create: &Create) -> Created {
        let now = create.at.now;
        if let Some(memo) = &create.memo
            && let Some(memory) = self.remembered(memo, now)
        {
            let same = memory.memo.fingerprint == memo.fingerprint;
            return if same { Created::Replayed(memory.conversation.clone()) } else { Created::MemoMismatch };
        }
        if self.alive(&create.at.id, now).is_some() {
            return Created::Exists;
        }
        let ids: Vec<_> = self.conversations.keys().cloned().collect();
        let living = ids.iter().filter(|id| self.alive(id, now).is_some()).count();
        if living >= create.max_conversations as usize { Created::TooMany } else { Created::Created }
    }

    fn create(&mut self, create: Create, messages: Vec<Kept>, fence: u64) {
        let mut record = create.record();
        record.summary.messages = messages.len() as u64;
        record.summary.bytes = messages.iter().map(|kept| kept.document.len() as u64).sum();
        let id = create.at.id;
        if let Some(memo) = create.memo {
            self.memories.insert(memo.key.clone(), Memory { memo, conversation: id.clone(), written: None });
        }
        self.conversations.insert(id, Conversation { record, fence, key: None, messages });
    }

    /// What an append with this request id wrote here, unless it failed.
    fn recall(&mut self, at: &Lookup, memo: &RequestMemo) -> Option<Recalled> {
        let memory = self.remembered(memo, at.now)?;
        let Some(written) = memory.written.filter(|_| memory.conversation == at.id) else {
            return Some(Recalled::MemoMismatch);
        };
        if memory.memo.fingerprint != memo.fingerprint {
            return Some(Recalled::MemoMismatch);
        }
        let conversation = self.conversations.get(&at.id)?;
        let first = usize::try_from(written.first_seq - 1).ok().and_then(|index| conversation.messages.get(index));
        let failed = first.is_some_and(|kept| conversation.state(kept, at.now) == Some(MessageState::Failed));
        (!failed).then_some(Recalled::Written(written))
    }

    fn append(&mut self, append: Append) -> Appended {
        let (id, now) = (append.at.id.clone(), append.at.now);
        match append.memo.as_ref().and_then(|memo| self.recall(&append.at, memo)) {
            Some(Recalled::Written(written)) => return Appended::Replayed(written),
            Some(Recalled::MemoMismatch) => return Appended::MemoMismatch,
            None => {}
        }
        let Some(conversation) = self.conversations.get_mut(&id) else { return Appended::NotFound };
        if let Some(refused) = conversation.refuses(&append) {
            return refused;
        }
        let first_seq = conversation.record.summary.messages + 1;
        for document in append.documents {
            let pending = append.fence.filter(|_| append.pending);
            conversation.record.summary.bytes += document.len() as u64;
            conversation.messages.push(Kept { at: now, fence: append.fence, pending, document });
        }
        let last_seq = conversation.messages.len() as u64;
        if let Some(settle) = append.settle {
            conversation.settle(settle, append.fence, first_seq);
        }
        if append.workflow.is_some() {
            conversation.record.workflow = append.workflow;
        }
        if append.release || append.fence.is_none() {
            conversation.record.summary.turn = None;
        }
        let summary = &mut conversation.record.summary;
        summary.messages = last_seq;
        summary.version += 1;
        summary.updated_at = now;
        summary.used(now);
        let written = Written { first_seq, last_seq, version: summary.version, fence: append.fence };
        let expires_at = summary.expires_at;
        if let Some(memo) = append.memo {
            self.memories.insert(memo.key.clone(), Memory { memo, conversation: id, written: Some(written) });
        }
        Appended::Stored { written, expires_at }
    }
}

/// What every use of a conversation does.
trait Used {
    fn used(&mut self, now: Timestamp);
}

impl Used for Summary {
    fn used(&mut self, now: Timestamp) {
        self.accessed_at = now;
        self.expires_at = self.lifetime.after_use(now, self.expires_at);
    }
}

impl Conversation {
    fn running(&self, now: Timestamp) -> Option<&TurnRow> {
        self.record.summary.turn.as_ref().filter(|turn| turn.until > now)
    }

    fn state(&self, kept: &Kept, now: Timestamp) -> Option<MessageState> {
        let running = self.running(now).map(|turn| turn.fence);
        kept.pending.map(|fence| if running == Some(fence) { MessageState::Pending } else { MessageState::Failed })
    }

    fn summary(&self, now: Timestamp) -> Summary {
        Summary { turn: self.running(now).cloned(), ..self.record.summary.clone() }
    }

    fn refuses(&self, append: &Append) -> Option<Appended> {
        let summary = &self.record.summary;
        if append.expected_version.is_some_and(|expected| expected != summary.version) {
            return Some(Appended::Conflict { current: summary.version });
        }
        match (self.running(append.at.now), append.fence) {
            (Some(turn), None) => return Some(Appended::TurnBusy { until: turn.until }),
            (Some(turn), Some(fence)) if turn.fence != fence => return Some(Appended::TurnLost),
            (None, Some(_)) => return Some(Appended::TurnLost),
            _ => {}
        }
        let bytes: usize = append.documents.iter().map(Bytes::len).sum();
        if append.documents.is_empty() {
            None
        } else if summary.messages + append.documents.len() as u64 > append.limits.max_messages {
            Some(Appended::Full(Full::Messages))
        } else if summary.bytes + bytes as u64 > append.limits.max_bytes {
            Some(Appended::Full(Full::Bytes))
        } else {
            None
        }
    }

    fn settle(&mut self, settle: Settle, fence: Option<u64>, before_seq: u64) {
        let earlier = usize::try_from(before_seq - 1).unwrap_or(usize::MAX);
        for kept in self.messages.iter_mut().take(earlier).filter(|kept| kept.pending.is_some()) {
            if kept.pending == fence {
                kept.pending = match settle {
                    Settle::Done => None,
                    Settle::Failed => Some(FAILED),
                };
            }
        }
    }

    fn rows(&self, now: Timestamp) -> Vec<MessageRow> {
        let row = |(kept, seq): (&Kept, u64)| MessageRow {
            seq,
            at: kept.at,
            fence: kept.fence,
            state: self.state(kept, now),
            document: kept.document.clone(),
        };
        self.messages.iter().zip(1..).map(row).collect()
    }
}

#[async_trait]
impl ConversationStore for ModelConversations {
    async fn create(&self, create: Create) -> Result<Created> {
        let mut estates = self.lock();
        let owner = create.at.owner.clone();
        let estate = estates.entry(owner.clone()).or_default();
        let created = estate.may_create(&create);
        if created == Created::Created {
            estate.create(create, Vec::new(), 0);
            self.wakeups.conversations(&owner);
        }
        Ok(created)
    }

    async fn find(&self, at: &Lookup) -> Result<Option<Record>> {
        Ok(self.with(at, |estate| {
            let conversation = &estate.conversations[&at.id];
            Record { summary: conversation.summary(at.now), ..conversation.record.clone() }
        }))
    }

    async fn touch(&self, at: &Lookup) -> Result<bool> {
        let touched = self.with(at, |estate| {
            if let Some(conversation) = estate.conversations.get_mut(&at.id) {
                conversation.record.summary.used(at.now);
            }
        });
        Ok(touched.is_some())
    }

    async fn list(&self, query: ListQuery) -> Result<ListPage> {
        let mut estates = self.lock();
        let estate = estates.entry(query.owner.clone()).or_default();
        let ids: Vec<_> = estate.conversations.keys().cloned().collect();
        let living = ids.iter().filter_map(|id| estate.alive(id, query.now).map(|found| found.summary(query.now)));
        let mut rows: Vec<_> = living.filter(|row| query.status.is_none_or(|status| row.status == status)).collect();
        let key = |at: Timestamp, id: &ConversationId| (std::cmp::Reverse(at), std::cmp::Reverse(id.clone()));
        rows.sort_by_key(|row| key(row.updated_at, &row.id));
        if let Some(after) = &query.after {
            rows.retain(|row| key(row.updated_at, &row.id) > key(after.updated_at, &after.id));
        }
        let more = rows.len() > query.limit as usize;
        rows.truncate(query.limit as usize);
        let last = rows.last().filter(|_| more);
        let next = last.map(|row| Place { updated_at: row.updated_at, id: row.id.clone() });
        Ok(ListPage { rows, next })
    }

    async fn append(&self, append: Append) -> Result<Appended> {
        let (at, owner) = (append.at.clone(), append.at.owner.clone());
        let appended = self.with(&at, |estate| estate.append(append)).unwrap_or(Appended::NotFound);
        if matches!(appended, Appended::Stored { .. }) {
            self.wakeups.conversations(&owner);
        }
        Ok(appended)
    }

    async fn recall(&self, at: &Lookup, memo: &RequestMemo) -> Result<Option<Recalled>> {
        Ok(self.with(at, |estate| estate.recall(at, memo)).flatten())
    }

    async fn messages(&self, query: MessagesQuery) -> Result<Option<MessagesPage>> {
        let at = &query.at;
        Ok(self.with(at, |estate| {
            let conversation = &estate.conversations[&at.id];
            let (mut all, backwards) = (conversation.rows(at.now), matches!(query.from, From::Before(_)));
            all.retain(|row| match query.from {
                From::After(seq) => row.seq > seq,
                From::Before(seq) => row.seq < seq,
            });
            if backwards {
                all.reverse();
            }
            let (mut rows, mut bytes) = (Vec::new(), 0);
            let total = all.len();
            for row in all.into_iter().take(query.limit as usize) {
                bytes += row.document.len();
                if bytes > MAX_PAGE_BYTES && !rows.is_empty() {
                    break;
                }
                rows.push(row);
            }
            let more = rows.len() < total;
            if backwards {
                rows.reverse();
            }
            MessagesPage { summary: conversation.summary(at.now), rows, more }
        }))
    }

    async fn patch(&self, patch: Patch) -> Result<Patched> {
        let (at, owner) = (patch.at.clone(), patch.at.owner.clone());
        let patched = self.with(&at, |estate| {
            let conversation = estate.conversations.get_mut(&at.id)?;
            let current = conversation.record.summary.version;
            if current != patch.expected_version {
                return Some(Patched::Conflict { current });
            }
            conversation.record = patch.applied_to(conversation.record.clone());
            Some(Patched::Patched)
        });
        let patched = patched.flatten().unwrap_or(Patched::NotFound);
        if patched == Patched::Patched {
            self.wakeups.conversations(&owner);
        }
        Ok(patched)
    }

    async fn delete(&self, at: &Lookup) -> Result<bool> {
        let deleted = self.with(at, |estate| estate.remove(&at.id)).unwrap_or(false);
        if deleted {
            self.wakeups.conversations(&at.owner);
        }
        Ok(deleted)
    }

    async fn erase(&self, owner: &Owner, limit: u32) -> Result<u32> {
        let mut estates = self.lock();
        let Some(estate) = estates.get_mut(owner) else { return Ok(0) };
        let ids: Vec<_> = estate.conversations.keys().take(limit as usize).cloned().collect();
        for id in &ids {
            estate.remove(id);
        }
        if ids.is_empty() {
            estates.remove(owner);
        }
        self.wakeups.conversations(owner);
        Ok(u32::try_from(ids.len()).unwrap_or(u32::MAX))
    }

    async fn take_turn(&self, take: Take) -> Result<Taken> {
        let (at, owner) = (take.at.clone(), take.at.owner.clone());
        let until = at.now.after(Duration::from_millis(take.ttl_ms));
        let taken = self.with(&at, |estate| {
            let conversation = estate.conversations.get_mut(&at.id)?;
            if let Some(running) = conversation.running(at.now) {
                let again = take.key.is_some() && take.key == conversation.key;
                let (fence, until) = (running.fence, running.until);
                return Some(if again { Taken::Taken { fence, until } } else { Taken::Busy { until } });
            }
            conversation.fence += 1;
            conversation.key = take.key;
            let fence = conversation.fence;
            conversation.record.summary.turn = Some(TurnRow { fence, holder: take.holder, until });
            conversation.record.summary.used(at.now);
            Some(Taken::Taken { fence, until })
        });
        let taken = taken.flatten().unwrap_or(Taken::NotFound);
        if matches!(taken, Taken::Taken { .. }) {
            self.wakeups.conversations(&owner);
        }
        Ok(taken)
    }

    async fn renew_turn(&self, renew: Renew) -> Result<TurnKept> {
        let at = &renew.at;
        let renewed = self.with(at, |estate| {
            let conversation = estate.conversations.get_mut(&at.id)?;
            let until = at.now.after(Duration::from_millis(renew.ttl_ms));
            let running = conversation.running(at.now)?;
            if running.fence != renew.fence {
                return None;
            }
            let turn = TurnRow { until, ..running.clone() };
            conversation.record.summary.turn = Some(turn);
            conversation.record.summary.used(at.now);
            Some(until)
        });
        Ok(renewed.map_or(TurnKept::NotFound, |kept| kept.map_or(TurnKept::Lost, TurnKept::Until)))
    }

    async fn end_turn(&self, at: &Lookup, fence: u64) -> Result<TurnKept> {
        let ended = self.with(at, |estate| {
            let conversation = estate.conversations.get_mut(&at.id)?;
            if conversation.running(at.now)?.fence != fence {
                return None;
            }
            conversation.record.summary.turn = None;
            conversation.record.summary.used(at.now);
            Some(at.now)
        });
        let ended = ended.map_or(TurnKept::NotFound, |ended| ended.map_or(TurnKept::Lost, TurnKept::Until));
        if matches!(ended, TurnKept::Until(_)) {
            self.wakeups.conversations(&at.owner);
        }
        Ok(ended)
    }

    async fn fork(&self, fork: Fork) -> Result<Forked> {
        let mut estates = self.lock();
        let owner = fork.create.at.owner.clone();
        let now = fork.create.at.now;
        let estate = estates.entry(owner.clone()).or_default();
        let created = estate.may_create(&fork.create);
        if created != Created::Created {
            return Ok(Forked::Created(created));
        }
        let count = usize::try_from(fork.up_to).unwrap_or(usize::MAX);
        let Some(source) = estate.alive(&fork.source, now).filter(|source| source.messages.len() >= count) else {
            return Ok(Forked::NoSource);
        };
        let copy = |kept: &Kept| Kept { pending: kept.pending.map(|_| FAILED), ..kept.clone() };
        let messages = source.messages.iter().take(count).map(copy).collect();
        let fence = source.fence;
        estate.create(fork.create, messages, fence);
        self.wakeups.conversations(&owner);
        Ok(Forked::Created(created))
    }

    async fn purge(&self, now: Timestamp, limit: u32) -> Result<u32> {
        let mut purged = 0;
        for estate in self.lock().values_mut() {
            estate.memories.retain(|_, memory| memory.memo.until > now);
            let ids: Vec<_> = estate.conversations.keys().cloned().collect();
            let dead = ids.iter().filter(|_| purged < limit).filter(|id| estate.alive(id, now).is_none());
            purged += u32::try_from(dead.count()).unwrap_or(u32::MAX);
        }
        Ok(purged.min(limit))
    }
}
