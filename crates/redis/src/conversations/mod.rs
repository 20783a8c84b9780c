//! Conversations on Redis: each method is one script on the aggregate of its owner, but a fork, which copies part by
//! part what nobody sees, and then appears in one step.

pub(crate) mod params;
mod rows;

use crate::answer::Answer;
use crate::connection::{Connection, Repeat, read};
use crate::keys::{Keys, encode};
use crate::scripts::{self, Script};
use async_trait::async_trait;
use bytes::Bytes;
use mainstay_core::api::{ConversationId, Timestamp};
use mainstay_core::conversations::{
    Append, Appended, ConversationStore, Create, Created, Fork, Forked, From, Full, ListPage, ListQuery, Lookup,
    MAX_PAGE_BYTES, MessagesPage, MessagesQuery, Owner, Patch, Patched, Place, Recalled, Record, Renew, Take, Taken,
    TurnKept, Written,
};
use mainstay_core::mail::RequestMemo;
use mainstay_core::{Error, Result};
use redis::Value;
use std::sync::Arc;

/// Bytes of messages that one step of a fork copies, about: a few milliseconds of the server.
const MAX_COPIED_BYTES: usize = 1_024 * 1_024;
/// Most steps of one fork: far more than a conversation of any size needs.
const MAX_COPIES: u32 = 100_000;
/// Remembered requests that one step of an erasure forgets.
const MAX_FORGOTTEN: u32 = 500;
/// Most such steps.
const MAX_FORGETTING: u32 = 10_000;

/// Conversations in Redis.
pub(crate) struct RedisConversations {
    connection: Arc<Connection>,
    keys: Keys,
}

impl RedisConversations {
    /// Conversations over a connection.
    pub fn new(connection: Arc<Connection>, keys: Keys) -> Self {
        Self { connection, keys }
    }

    async fn value(&self, script: &Script, owner: &Owner, args: &[&[u8]], repeat: Repeat) -> Result<Value> {
        self.connection.script(script, &self.keys.conversations(owner), args, repeat).await
    }

    async fn run(&self, script: &Script, owner: &Owner, args: &[&[u8]], repeat: Repeat) -> Result<Answer> {
        Answer::of(self.value(script, owner, args, repeat).await?, script.name)
    }

    async fn move_turn(&self, renew: &Renew) -> Result<TurnKept> {
        let params = params::renew(renew, &self.keys)?;
        let script = &scripts::CONVERSATIONS_MOVE_TURN;
        let mut answer = self.run(script, &renew.at.owner, &[&params], Repeat::Safe).await?;
        let word: String = answer.next()?;
        match word.as_str() {
            "until" => Ok(TurnKept::Until(rows::time(&answer.next::<String>()?)?)),
            "lost" => Ok(TurnKept::Lost),
            "not_found" => Ok(TurnKept::NotFound),
            other => Err(answer.unknown(other)),
        }
    }

    /// Copies the messages of a fork. Returns whether the source was there to the end.
    async fn copy(&self, fork: &Fork, name: &str) -> Result<bool> {
        let at = &fork.create.at;
        let (source, now) = (encode(fork.source.as_str()), at.now.as_millis().to_string());
        let (up_to, most) = (fork.up_to.to_string(), MAX_COPIED_BYTES.to_string());
        let args = [&source, &now, name, &up_to, &most].map(str::as_bytes);
        for _ in 0..MAX_COPIES {
            let mut answer = self.run(&scripts::CONVERSATIONS_FORK_COPY, &at.owner, &args, Repeat::Safe).await?;
            let word: String = answer.next()?;
            match word.as_str() {
                "more" => {}
                "done" => return Ok(true),
                "no_source" => return Ok(false),
                other => return Err(answer.unknown(other)),
            }
        }
        Err(Error::bug("a fork did not come to an end"))
    }

    /// Publishes a fork, or asks whether it may be: `None` where it may.
    async fn publish(&self, fork: &Fork, name: &str, check: bool) -> Result<Option<Forked>> {
        let create = &fork.create;
        let params = params::fork(fork, name, check, &self.keys)?;
        let workflow = create.workflow.clone().unwrap_or_default();
        let args: [&[u8]; 4] = [&params, &create.head, &create.body, &workflow];
        let script = &scripts::CONVERSATIONS_FORK_PUBLISH;
        let mut answer = self.run(script, &create.at.owner, &args, Repeat::Safe).await?;
        let word: String = answer.next()?;
        match word.as_str() {
            "go_on" => Ok(None),
            "no_source" => Ok(Some(Forked::NoSource)),
            _ => created(&word, &mut answer).map(|created| Some(Forked::Created(created))),
        }
    }
}

#[async_trait]
impl ConversationStore for RedisConversations {
    async fn create(&self, create: Create) -> Result<Created> {
        let params = params::create(&create, &token(), &self.keys)?;
        let workflow = create.workflow.clone().unwrap_or_default();
        let args: [&[u8]; 4] = [&params, &create.head, &create.body, &workflow];
        // A second run of the same call recognises its own conversation.
        let mut answer = self.run(&scripts::CONVERSATIONS_CREATE, &create.at.owner, &args, Repeat::Safe).await?;
        let word: String = answer.next()?;
        created(&word, &mut answer)
    }

    async fn find(&self, at: &Lookup) -> Result<Option<Record>> {
        let (id, now) = named(at);
        let args = [&id, &now].map(|arg| arg.as_bytes());
        let mut answer = self.run(&scripts::CONVERSATIONS_FIND, &at.owner, &args, Repeat::Safe).await?;
        if answer.is_empty() {
            return Ok(None);
        }
        let summary = rows::summary(answer.next()?, at.now)?;
        let body = Bytes::from(answer.next::<Vec<u8>>()?);
        let workflow = if answer.is_empty() { None } else { answer.next::<Option<Vec<u8>>>()? };
        Ok(Some(Record { summary, body, workflow: workflow.map(Bytes::from) }))
    }

    async fn touch(&self, at: &Lookup) -> Result<bool> {
        let (id, now) = named(at);
        let args = [&id, &now].map(|arg| arg.as_bytes());
        let script = &scripts::CONVERSATIONS_TOUCH;
        Ok(read::<u8>(self.value(script, &at.owner, &args, Repeat::Safe).await?, script.name)? == 1)
    }

    async fn list(&self, query: ListQuery) -> Result<ListPage> {
        let params = params::list(&query)?;
        let mut answer = self.run(&scripts::CONVERSATIONS_LIST, &query.owner, &[&params], Repeat::Safe).await?;
        let found: Vec<Value> = answer.next()?;
        let (updated, id): (String, String) = (answer.next()?, answer.next()?);
        let next = match rows::optional(&updated, rows::time)? {
            Some(updated_at) => Some(Place { updated_at, id: rows::id(&id)? }),
            None => None,
        };
        let rows = found.into_iter().map(|row| rows::summary(row, query.now)).collect::<Result<_>>()?;
        Ok(ListPage { rows, next })
    }

    async fn append(&self, append: Append) -> Result<Appended> {
        let repeat = if append.memo.is_some() { Repeat::Safe } else { Repeat::Never };
        let params = params::append(&append, &self.keys)?;
        let workflow = append.workflow.clone().unwrap_or_default();
        let mut args: Vec<&[u8]> = vec![&params, &workflow];
        args.extend(append.documents.iter().map(Bytes::as_ref));
        let mut answer = self.run(&scripts::CONVERSATIONS_APPEND, &append.at.owner, &args, repeat).await?;
        let word: String = answer.next()?;
        match word.as_str() {
            "stored" => {
                let written = Written { fence: append.fence, ..written(&mut answer)? };
                let expires_at = rows::optional(&answer.next::<String>()?, rows::time)?;
                Ok(Appended::Stored { written, expires_at })
            }
            "replayed" => replayed(&mut answer).map(Appended::Replayed),
            "memo_mismatch" => Ok(Appended::MemoMismatch),
            "not_found" => Ok(Appended::NotFound),
            "conflict" => Ok(Appended::Conflict { current: rows::number(&answer.next::<String>()?)? }),
            "turn_busy" => Ok(Appended::TurnBusy { until: rows::time(&answer.next::<String>()?)? }),
            "turn_lost" => Ok(Appended::TurnLost),
            "full_messages" => Ok(Appended::Full(Full::Messages)),
            "full_bytes" => Ok(Appended::Full(Full::Bytes)),
            other => Err(answer.unknown(other)),
        }
    }

    async fn recall(&self, at: &Lookup, memo: &RequestMemo) -> Result<Option<Recalled>> {
        let ((id, now), key) = (named(at), encode(&memo.key));
        let args = [&id, &now, &key, &memo.fingerprint].map(|arg| arg.as_bytes());
        let mut answer = self.run(&scripts::CONVERSATIONS_RECALL, &at.owner, &args, Repeat::Safe).await?;
        if answer.is_empty() {
            return Ok(None);
        }
        let word: String = answer.next()?;
        match word.as_str() {
            "replayed" => Ok(Some(Recalled::Written(replayed(&mut answer)?))),
            "memo_mismatch" => Ok(Some(Recalled::MemoMismatch)),
            other => Err(answer.unknown(other)),
        }
    }

    async fn messages(&self, query: MessagesQuery) -> Result<Option<MessagesPage>> {
        let (id, now) = named(&query.at);
        let (backwards, begin) = match query.from {
            From::After(seq) => ("0", format!("{}-0", seq.saturating_add(1))),
            From::Before(seq) => ("1", format!("{}-0", seq.saturating_sub(1))),
        };
        let (limit, most) = (query.limit.to_string(), MAX_PAGE_BYTES.to_string());
        let args = [&id, &now, backwards, &begin, &limit, &most].map(str::as_bytes);
        let mut answer = self.run(&scripts::CONVERSATIONS_MESSAGES, &query.at.owner, &args, Repeat::Safe).await?;
        if answer.is_empty() {
            return Ok(None);
        }
        let summary = rows::summary(answer.next()?, query.at.now)?;
        let running = summary.turn.as_ref().map(|turn| turn.fence);
        let found: Vec<Value> = answer.next()?;
        let rows = found.into_iter().map(|row| rows::message(row, running)).collect::<Result<_>>()?;
        Ok(Some(MessagesPage { summary, rows, more: answer.next::<u8>()? == 1 }))
    }

    async fn patch(&self, patch: Patch) -> Result<Patched> {
        let params = params::patch(&patch, &self.keys)?;
        let workflow = patch.workflow.clone().unwrap_or_default();
        let args: [&[u8]; 4] = [&params, &patch.head, &patch.body, &workflow];
        let mut answer = self.run(&scripts::CONVERSATIONS_PATCH, &patch.at.owner, &args, Repeat::Never).await?;
        let word: String = answer.next()?;
        match word.as_str() {
            "patched" => Ok(Patched::Patched),
            "not_found" => Ok(Patched::NotFound),
            "conflict" => Ok(Patched::Conflict { current: rows::number(&answer.next::<String>()?)? }),
            other => Err(answer.unknown(other)),
        }
    }

    async fn delete(&self, at: &Lookup) -> Result<bool> {
        let ((id, now), channel, wake) = (named(at), self.keys.channel(), params::wake(&at.owner));
        let args = [&id, &now, &channel, &wake].map(|arg| arg.as_bytes());
        let script = &scripts::CONVERSATIONS_DELETE;
        Ok(read::<u8>(self.value(script, &at.owner, &args, Repeat::Safe).await?, script.name)? == 1)
    }

    async fn erase(&self, owner: &Owner, limit: u32) -> Result<u32> {
        let (limit, forgotten) = (limit.to_string(), MAX_FORGOTTEN.to_string());
        let (channel, wake) = (self.keys.channel(), params::wake(owner));
        let args = [&limit, &forgotten, &channel, &wake].map(|arg| arg.as_bytes());
        for _ in 0..MAX_FORGETTING {
            let mut answer = self.run(&scripts::CONVERSATIONS_ERASE, owner, &args, Repeat::Safe).await?;
            let (conversations, more): (u32, u8) = (answer.next()?, answer.next()?);
            if conversations > 0 || more == 0 {
                return Ok(conversations);
            }
        }
        Err(Error::bug("an erasure did not come to an end").maybe_applied())
    }

    async fn take_turn(&self, take: Take) -> Result<Taken> {
        let repeat = if take.key.is_some() { Repeat::Safe } else { Repeat::Never };
        let params = params::take(&take, &self.keys)?;
        let (holder, key) = (take.holder.unwrap_or_default(), take.key.unwrap_or_default());
        let args: [&[u8]; 3] = [&params, holder.as_bytes(), key.as_bytes()];
        let mut answer = self.run(&scripts::CONVERSATIONS_TAKE_TURN, &take.at.owner, &args, repeat).await?;
        let word: String = answer.next()?;
        match word.as_str() {
            "taken" => Ok(Taken::Taken {
                fence: rows::number(&answer.next::<String>()?)?,
                until: rows::time(&answer.next::<String>()?)?,
            }),
            "busy" => Ok(Taken::Busy { until: rows::time(&answer.next::<String>()?)? }),
            "not_found" => Ok(Taken::NotFound),
            other => Err(answer.unknown(other)),
        }
    }

    async fn renew_turn(&self, renew: Renew) -> Result<TurnKept> {
        self.move_turn(&renew).await
    }

    async fn end_turn(&self, at: &Lookup, fence: u64) -> Result<TurnKept> {
        self.move_turn(&Renew { at: at.clone(), fence, ttl_ms: 0 }).await
    }

    async fn fork(&self, fork: Fork) -> Result<Forked> {
        let name = token();
        if let Some(refused) = self.publish(&fork, &name, true).await? {
            return Ok(refused);
        }
        if !self.copy(&fork, &name).await? {
            return Ok(Forked::NoSource);
        }
        let published = self.publish(&fork, &name, false).await?;
        published.ok_or_else(|| Error::bug("a fork was not published"))
    }

    /// Redis ends lives by itself, and indexes shed what is gone when they are read or full.
    async fn purge(&self, _now: Timestamp, _limit: u32) -> Result<u32> {
        Ok(0)
    }
}

/// What tells one conversation, or copy, from every other.
fn token() -> String {
    crate::mail::params::new_epoch()
}

/// The encoded id of a conversation, and the present.
fn named(at: &Lookup) -> (String, String) {
    (encode(at.id.as_str()), at.now.as_millis().to_string())
}

fn created(word: &str, answer: &mut Answer) -> Result<Created> {
    match word {
        "created" => Ok(Created::Created),
        "exists" => Ok(Created::Exists),
        "replayed" => Ok(Created::Replayed(conversation(answer)?)),
        "memo_mismatch" => Ok(Created::MemoMismatch),
        "too_many" => Ok(Created::TooMany),
        other => Err(answer.unknown(other)),
    }
}

fn conversation(answer: &mut Answer) -> Result<ConversationId> {
    rows::id(&answer.next::<String>()?)
}

fn written(answer: &mut Answer) -> Result<Written> {
    Ok(Written {
        first_seq: rows::number(&answer.next::<String>()?)?,
        last_seq: rows::number(&answer.next::<String>()?)?,
        version: rows::number(&answer.next::<String>()?)?,
        fence: None,
    })
}

fn replayed(answer: &mut Answer) -> Result<Written> {
    let written = written(answer)?;
    Ok(Written { fence: rows::optional(&answer.next::<String>()?, rows::number)?, ..written })
}
