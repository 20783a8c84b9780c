//! How documents are shown.

use crate::printer::one_line;
use mainstay_api::documents::{ChangeKind, Committed, DiffOp, Difference};

/// A transaction.
pub(super) fn committed(committed: &Committed) -> String {
    let mut lines: Vec<String> = committed.changes.iter().flat_map(|change| change.diff.iter().map(place)).collect();
    match &committed.position {
        Some(_) if committed.replayed => lines.push(format!("revision {}, written before", committed.revision())),
        Some(_) => lines.push(format!("revision {}", committed.revision())),
        None if lines.is_empty() => lines.push("nothing would change".into()),
        None => {}
    }
    lines.join("\n")
}

/// One place that changed.
pub(super) fn place(place: &Difference) -> String {
    let sign = match place.op {
        DiffOp::Add => '+',
        DiffOp::Remove => '-',
        DiffOp::Replace => '~',
    };
    let path = if place.path.is_empty() { "(all)".to_owned() } else { one_line(&place.path) };
    if place.secret {
        return format!("{sign} {path}\t(secret)");
    }
    let text = |value: &Option<mainstay_api::RawJson>| value.as_ref().map(|value| one_line(value.as_str()));
    match (text(&place.old), text(&place.new)) {
        (Some(old), Some(new)) => format!("{sign} {path}\t{old} -> {new}"),
        (Some(value), None) | (None, Some(value)) => format!("{sign} {path}\t{value}"),
        (None, None) => format!("{sign} {path}"),
    }
}

/// What was done to a document, in a word.
pub(super) fn kind(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Put => "put",
        ChangeKind::Deleted => "deleted",
        ChangeKind::Expired => "expired",
    }
}
