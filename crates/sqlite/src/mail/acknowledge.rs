//! Acknowledging messages, and marking them as read.

use super::delivery;
use super::message;
use super::row::View;
use crate::errors::Outcome;
use crate::names;
use crate::wakeups::Wakes;
use mainstay_core::Topic;
use mainstay_core::mail::{AckOutcome, Acknowledge, MarkRead};
use rusqlite::Connection;

/// See [`mainstay_core::mail::MailStore::acknowledge`].
pub(super) fn acknowledge(
    connection: &Connection,
    acknowledge: &Acknowledge,
    wakes: &mut Wakes,
) -> Outcome<AckOutcome> {
    let Acknowledge { namespace: name, id, recipient, ack } = acknowledge;
    let Some(namespace) = names::namespace(connection, name)? else { return Ok(AckOutcome::NotFound) };
    let Some(head) = message::live(connection, namespace, id, ack.at)? else { return Ok(AckOutcome::NotFound) };
    let Some(inbox) = names::inbox(connection, namespace, recipient)? else { return Ok(AckOutcome::NotRecipient) };
    let Some(standing) = delivery::standing(connection, inbox.id, head.offset)? else {
        return Ok(AckOutcome::NotRecipient);
    };
    if !standing.is_acked {
        if !standing.is_read {
            delivery::mark_read(connection, inbox.id, head.offset, ack.at)?;
        }
        delivery::acknowledge(connection, inbox.id, head.offset, ack)?;
        wakes.topic(Topic::Mail(name.clone(), recipient.clone()));
    }
    let row = View::new(connection, namespace, Some(recipient), false)?.load(connection, head.offset)?;
    let stands = row.receipt.as_ref().and_then(|receipt| receipt.ack.as_ref());
    // A repetition of the very same is answered as the first time was: its answer may have been lost.
    let already = stands != Some(ack);
    Ok(AckOutcome::Stands { row: Box::new(row), epoch: message::epoch(connection)?, already })
}

/// See [`mainstay_core::mail::MailStore::mark_read`].
pub(super) fn mark_read(connection: &Connection, mark: &MarkRead, wakes: &mut Wakes) -> Outcome<u32> {
    let Some(namespace) = names::namespace(connection, &mark.namespace)? else { return Ok(0) };
    let Some(inbox) = names::inbox(connection, namespace, &mark.recipient)? else { return Ok(0) };
    let mut marked = 0;
    for id in &mark.ids {
        let Some(head) = message::live(connection, namespace, id, mark.now)? else { continue };
        if delivery::standing(connection, inbox.id, head.offset)?.is_some_and(|standing| standing.unread) {
            delivery::mark_read(connection, inbox.id, head.offset, mark.now)?;
            marked += 1;
        }
    }
    if marked > 0 {
        wakes.topic(Topic::Mail(mark.namespace.clone(), mark.recipient.clone()));
    }
    Ok(marked)
}
