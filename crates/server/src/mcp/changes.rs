//! Changes of a mailbox and of presence, from the wake-ups of the store. A wake-up may mean nothing: the store is read
//! and compared before anybody is told.

use super::McpParts;
use crate::live::SAFETY_READ;
use futures::stream::{self, BoxStream, StreamExt};
use mainstay_api::mail::{InboxCounts, ReadInbox, Start};
use mainstay_api::presence::Presence;
use mainstay_api::{InstanceId, Position};
use mainstay_core::{Caller, Result, Topic};
use mainstay_hub::{Wake, Watch};
use std::time::Duration;

/// Messages examined per read while looking for new ones.
const LOOK: u32 = 100;

struct Mailbox {
    parts: McpParts,
    caller: Caller,
    watch: Watch,
    seen: Option<(Position, InboxCounts)>,
}

/// Changes of the caller's mailbox; begins with one where there is unread mail.
pub(super) fn mailbox(parts: McpParts, caller: Caller, instance: InstanceId) -> BoxStream<'static, ()> {
    let watch = parts.services.hub.watch(Topic::Mail(caller.namespace.clone(), instance));
    let mailbox = Mailbox { parts, caller, watch, seen: None };
    stream::unfold(mailbox, |mut mailbox| async move { mailbox.next().await.map(|()| ((), mailbox)) }).boxed()
}

impl Mailbox {
    async fn next(&mut self) -> Option<()> {
        loop {
            match self.look().await {
                Ok(true) => return Some(()),
                Ok(false) => {}
                // The store is away: what changed meanwhile is found by a later look.
                Err(error) => tracing::debug!(%error, "a watched mailbox cannot be read"),
            }
            if self.watch.changed(SAFETY_READ).await == Wake::Closed {
                return None;
            }
        }
    }

    /// Reads what is new; whether the client should be told.
    async fn look(&mut self) -> Result<bool> {
        let mail = &self.parts.services.mail;
        // Before the messages: what arrives between the two reads is then seen once, by the next look.
        let counts = mail.counts(&self.caller).await?;
        let after = match &self.seen {
            Some((position, _)) => Start::After(position.clone()),
            None => Start::Now,
        };
        let mut read = ReadInbox { after, limit: Some(LOOK), ..ReadInbox::default() };
        let mut arrived = false;
        let position = loop {
            let page = mail.inbox(&self.caller, &read).await?;
            arrived |= !page.messages.is_empty() || page.gap.is_some();
            if !page.more {
                break page.position;
            }
            read.after = Start::After(page.position);
        };
        let changed = match &self.seen {
            Some((_, before)) => arrived || *before != counts,
            None => counts.unread > 0,
        };
        self.seen = Some((position, counts));
        Ok(changed)
    }
}

struct Watching {
    parts: McpParts,
    caller: Caller,
    watch: Watch,
    seen: Option<Presence>,
}

/// Changes of the namespace's presence; a heartbeat alone is none.
pub(super) fn presence(parts: McpParts, caller: Caller) -> BoxStream<'static, ()> {
    let watch = parts.services.hub.watch(Topic::Presence(caller.namespace.clone()));
    let watching = Watching { parts, caller, watch, seen: None };
    stream::unfold(watching, |mut watching| async move { watching.next().await.map(|()| ((), watching)) }).boxed()
}

impl Watching {
    async fn next(&mut self) -> Option<()> {
        loop {
            let mut wait = SAFETY_READ;
            match self.parts.services.presence.list(&self.caller).await {
                Ok(now) => {
                    let due = self.parts.services.presence.next_change_ms(&now).map(Duration::from_millis);
                    wait = due.map_or(wait, |due| wait.min(due.max(Duration::from_millis(1))));
                    let changed = self
                        .seen
                        .as_ref()
                        .is_some_and(|before| !mainstay_core::presence::changes(before, &now).is_empty());
                    self.seen = Some(now);
                    if changed {
                        return Some(());
                    }
                }
                Err(error) => tracing::debug!(%error, "a watched presence cannot be read"),
            }
            match self.watch.changed(wait).await {
                Wake::Closed => return None,
                Wake::Changed | Wake::TimedOut => {}
            }
        }
    }
}
