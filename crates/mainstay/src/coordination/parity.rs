//! Comparing two places, message by message.

use super::import::to_legacy;
use super::source::Entry;
use mainstay_api::mail::ImportMessage;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a comparison found.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Parity {
    /// Whether both places hold the same messages with the same content.
    pub parity: bool,
    /// Messages of the source that can be read.
    pub source_count: usize,
    /// Messages of the destination that can be read.
    pub destination_count: usize,
    /// Messages that both hold, the same.
    pub same: usize,
    /// Ids that only the source holds.
    pub missing_in_destination: Vec<String>,
    /// Ids that only the destination holds.
    pub missing_in_source: Vec<String>,
    /// Messages that differ.
    pub different: Vec<Difference>,
    /// Entries that cannot be read: nobody can say that they are the same.
    pub unreadable: Vec<Unreadable>,
}

/// A message that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its id.
    pub id: String,
    /// The fields that differ, each with both values.
    pub fields: BTreeMap<String, Sides>,
}

/// The two values of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sides {
    /// In the source.
    pub source: Value,
    /// In the destination.
    pub destination: Value,
}

/// An entry that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// `source` or `destination`.
    pub side: &'static str,
    /// Where it stands.
    pub origin: String,
    /// Why.
    pub reason: String,
}

/// How to compare.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Compare in the shape of the original (seconds, one acknowledgement): one of the places knows no more.
    pub legacy_shape: bool,
    /// Do not mind messages that only the destination holds.
    pub one_way: bool,
    /// Do not mind entries that cannot be read; they are still listed.
    pub ignore_unreadable: bool,
}

/// Compares two places.
pub fn compare(source: &[Entry], destination: &[Entry], options: Options) -> Parity {
    let mut report = Parity::default();
    let left = index(source, "source", options, &mut report);
    let right = index(destination, "destination", options, &mut report);
    report.source_count = left.len();
    report.destination_count = right.len();
    for (id, ours) in &left {
        match right.get(id) {
            None => report.missing_in_destination.push(id.clone()),
            Some(theirs) if ours == theirs => report.same += 1,
            Some(theirs) => report.different.push(Difference { id: id.clone(), fields: differing(ours, theirs) }),
        }
    }
    report.missing_in_source.extend(right.keys().filter(|id| !left.contains_key(*id)).cloned());
    report.parity = report.missing_in_destination.is_empty()
        && (options.one_way || report.missing_in_source.is_empty())
        && report.different.is_empty()
        && (options.ignore_unreadable || report.unreadable.is_empty());
    report
}

fn index(entries: &[Entry], side: &'static str, options: Options, report: &mut Parity) -> BTreeMap<String, Value> {
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    let mut unreadable = |origin: &str, reason: String| {
        report.unreadable.push(Unreadable { side, origin: origin.to_owned(), reason });
    };
    for entry in entries {
        match &entry.message {
            Err(reason) => unreadable(&entry.origin, reason.clone()),
            Ok(message) => {
                let (id, shape) = (message.content.id.to_string(), shape(message, options));
                match found.get(&id) {
                    Some(first) if *first != shape => {
                        unreadable(&entry.origin, format!("the id {id:?} stands twice with different content"));
                    }
                    Some(_) => {}
                    None => drop(found.insert(id, shape)),
                }
            }
        }
    }
    found
}

fn shape(message: &ImportMessage, options: Options) -> Value {
    let shape = if options.legacy_shape {
        serde_json::to_value(to_legacy(message))
    } else {
        let mut whole = message.clone();
        whole.receipts.sort_by(|a, b| a.recipient.cmp(&b.recipient));
        // A recipient that has done nothing yet says nothing about the message.
        whole.receipts.retain(|receipt| receipt.read_at.is_some() || receipt.ack.is_some());
        serde_json::to_value(whole)
    };
    shape.unwrap_or(Value::Null)
}

fn differing(source: &Value, destination: &Value) -> BTreeMap<String, Sides> {
    let mut fields = BTreeMap::new();
    let (flat_source, flat_destination) = (flatten(source), flatten(destination));
    for name in flat_source.keys().chain(flat_destination.keys()) {
        let side = |flat: &BTreeMap<String, Value>| flat.get(name).cloned().unwrap_or(Value::Null);
        let (left, right) = (side(&flat_source), side(&flat_destination));
        if left != right {
            fields.insert(name.clone(), Sides { source: left, destination: right });
        }
    }
    fields
}

/// The fields of a message, those of `content` and `payload` by their own names.
fn flatten(value: &Value) -> BTreeMap<String, Value> {
    let mut flat = BTreeMap::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        match value {
            Value::Object(inner) if name == "content" || name == "payload" => {
                flat.extend(inner.iter().map(|(name, value)| (name.clone(), value.clone())));
            }
            value => drop(flat.insert(name.clone(), value.clone())),
        }
    }
    flat
}

#[cfg(test)]
mod tests {
    use super::*;
    use mainstay_api::legacy::{LegacyMessage, LegacyPayload};

    fn entry(id: &str, subject: &str) -> Entry {
        let message = LegacyMessage {
            id: id.into(),
            kind: "GENERAL".into(),
            from: "a".into(),
            to: "b".into(),
            timestamp: "2026-01-22T23:01:25Z".into(),
            requires_ack: true,
            acknowledged: false,
            payload: LegacyPayload { subject: subject.into(), description: String::new() },
            ack_by: None,
            ack_timestamp: None,
            ack_comment: None,
        };
        Entry { origin: id.into(), message: message.into_import() }
    }

    #[test]
    fn the_same_messages_are_at_parity() {
        let both = [entry("1", "x"), entry("2", "y")];
        assert!(compare(&both, &both, Options::default()).parity);
        assert!(compare(&[], &[], Options::default()).parity);
    }

    #[test]
    fn every_kind_of_difference_is_listed_and_breaks_parity() {
        let source = [entry("1", "x"), entry("2", "y"), entry("4", "same")];
        let destination = [entry("1", "z"), entry("3", "y"), entry("4", "same")];
        let report = compare(&source, &destination, Options::default());
        assert!(!report.parity);
        assert_eq!((report.same, report.source_count, report.destination_count), (1, 3, 3));
        assert_eq!(report.missing_in_destination, ["2"]);
        assert_eq!(report.missing_in_source, ["3"]);
        assert_eq!(report.different[0].fields.keys().collect::<Vec<_>>(), ["subject"]);
    }

    #[test]
    fn what_cannot_be_read_breaks_parity_unless_it_is_to_be_ignored() {
        let broken = [Entry { origin: "a.json".into(), message: Err("not JSON".into()) }];
        assert!(!compare(&broken, &[], Options::default()).parity);
        let report = compare(&broken, &[], Options { ignore_unreadable: true, ..Options::default() });
        assert!(report.parity);
        assert_eq!(report.unreadable.len(), 1);
    }

    #[test]
    fn one_way_minds_only_what_the_destination_lacks() {
        let options = Options { one_way: true, ..Options::default() };
        assert!(compare(&[entry("1", "x")], &[entry("1", "x"), entry("2", "y")], options).parity);
        assert!(!compare(&[entry("1", "x"), entry("2", "y")], &[entry("1", "x")], options).parity);
    }
}
