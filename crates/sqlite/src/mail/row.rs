//! A message as the port returns it.

use super::append::offset_of;
use super::{delivery, message};
use crate::errors::Outcome;
use crate::names;
use bytes::Bytes;
use mainstay_core::api::mail::Delivery;
use mainstay_core::api::{Epoch, InstanceId, MessageId, Namespace, Timestamp};
use mainstay_core::mail::Row;
use rusqlite::Connection;

/// Whose receipt a row shows, and which others.
pub(super) struct View<'a> {
    viewer: Option<(i64, &'a InstanceId)>,
    receipts: bool,
}

impl<'a> View<'a> {
    /// The view of an instance, or of nobody.
    pub(super) fn new(
        connection: &Connection,
        namespace: i64,
        viewer: Option<&'a InstanceId>,
        receipts: bool,
    ) -> Outcome<Self> {
        let inbox = match viewer {
            Some(instance) => names::inbox(connection, namespace, instance)?.map(|row| (row.id, instance)),
            None => None,
        };
        Ok(Self { viewer: inbox, receipts })
    }

    /// Reads a message.
    pub(super) fn load(&self, connection: &Connection, offset: i64) -> Outcome<Row> {
        let mut statement = connection.prepare_cached(include_str!("row_load.sql"))?;
        let read = |row: &rusqlite::Row<'_>| {
            let document = Bytes::copy_from_slice(row.get_ref(5)?.as_blob()?);
            let delivery = Delivery { delivered: row.get(2)?, read: row.get(3)?, acknowledged: row.get(4)? };
            Ok((document, delivery, row.get(1)?, row.get(0)?))
        };
        let (document, delivery, settled, broadcast) = statement.query_row([offset], read)?;
        let receipt = match self.viewer {
            Some((inbox, instance)) => delivery::receipt(connection, inbox, instance, offset)?,
            None => None,
        };
        let receipts = match self.receipts {
            true => Some(delivery::receipts(connection, offset, broadcast)?),
            false => None,
        };
        Ok(Row { offset: offset_of(offset)?, document, delivery, settled, receipt, receipts })
    }
}

/// Which message to find.
pub(super) struct Find {
    pub namespace: Namespace,
    pub id: MessageId,
    pub viewer: Option<InstanceId>,
    pub now: Timestamp,
}

/// See [`mainstay_core::mail::MailStore::find`].
pub(super) fn find(connection: &Connection, find: &Find) -> Outcome<Option<(Epoch, Row)>> {
    let Some(namespace) = names::namespace(connection, &find.namespace)? else { return Ok(None) };
    let Some(head) = message::live(connection, namespace, &find.id, find.now)? else { return Ok(None) };
    let view = View::new(connection, namespace, find.viewer.as_ref(), true)?;
    Ok(Some((message::epoch(connection)?, view.load(connection, head.offset)?)))
}
