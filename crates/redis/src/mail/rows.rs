//! Rows as the scripts return them.

use crate::connection::read;
use crate::keys;
use bytes::Bytes;
use mainstay_core::api::mail::{Ack, Delivery, Receipt};
use mainstay_core::api::{InstanceId, Offset, Timestamp};
use mainstay_core::mail::Row;
use mainstay_core::{Error, Result};
use redis::Value;

/// Reads an offset.
pub(super) fn offset(text: &str) -> Result<Offset> {
    text.parse().map(Offset).map_err(|_| Error::inconsistent(format!("{text:?} is not an offset")))
}

/// Reads rows.
pub(super) fn rows(values: Vec<Value>, viewer: Option<&InstanceId>, with_receipts: bool) -> Result<Vec<Row>> {
    values.into_iter().map(|value| row(value, viewer, with_receipts)).collect()
}

/// Reads one row.
pub(super) fn row(value: Value, viewer: Option<&InstanceId>, with_receipts: bool) -> Result<Row> {
    type Parts = (String, Vec<u8>, u32, u32, u32, u8, String, Vec<u8>, Vec<Vec<u8>>);
    let (off, document, delivered, read_count, acknowledged, settled, own_read, own_ack, all): Parts =
        read(value, "a row")?;
    let own = match viewer {
        Some(viewer) if !own_read.is_empty() => Some(receipt(viewer.clone(), &own_read, &own_ack)?),
        _ => None,
    };
    let receipts = if with_receipts { Some(receipts(&all)?) } else { None };
    Ok(Row {
        offset: offset(&off)?,
        document: Bytes::from(document),
        delivery: Delivery { delivered, read: read_count, acknowledged },
        settled: settled == 1,
        receipt: own,
        receipts,
    })
}

fn receipts(flat: &[Vec<u8>]) -> Result<Vec<Receipt>> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut receipts = flat
        .chunks_exact(3)
        .map(|part| receipt(keys::instance(&text(&part[0]))?, &text(&part[1]), &part[2]))
        .collect::<Result<Vec<_>>>()?;
    receipts.sort_by(|a, b| a.recipient.cmp(&b.recipient));
    Ok(receipts)
}

fn receipt(recipient: InstanceId, read_at: &str, ack: &[u8]) -> Result<Receipt> {
    let millis: i64 =
        read_at.parse().map_err(|_| Error::inconsistent(format!("{read_at:?} is not a time")))?;
    let ack: Option<Ack> = if ack.is_empty() {
        None
    } else {
        let parsed = serde_json::from_slice(ack);
        Some(parsed.map_err(|e| Error::inconsistent(format!("a stored acknowledgement cannot be read: {e}")))?)
    };
    Ok(Receipt { recipient, read_at: (millis != 0).then(|| Timestamp::from_millis(millis)), ack })
}
