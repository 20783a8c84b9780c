//! What imports and comparisons print.

use crate::cli::context::Context;
use crate::coordination::import::Report;
use crate::coordination::parity::Parity;
use crate::failure::{FAILED, Failure, Result};
use crate::printer::one_line;
use serde::Serialize;
use std::fmt::Write as _;

/// Differences shown on a terminal; `--json` has all of them.
const SHOWN: usize = 50;

/// Prints what an import did. Anything that failed is exit status 1.
pub fn import(context: &Context<'_>, report: &Report, source: &str) -> Result {
    context.printer.data(report, || import_text(report, source))?;
    if report.failed.is_empty() { Ok(()) } else { Err(Failure::Status(FAILED)) }
}

fn import_text(report: &Report, source: &str) -> String {
    let mut text = String::new();
    for failed in report.failed.iter().take(SHOWN) {
        let _ = writeln!(text, "  failed  {}: {}", one_line(&failed.origin), one_line(&failed.reason));
    }
    more(&mut text, report.failed.len());
    let would = if report.dry_run { "would be " } else { "" };
    let _ = writeln!(text, "{} found in {source}", report.found);
    let _ = writeln!(text, "{} {would}created", report.created);
    let _ = writeln!(text, "{} {would}updated with acknowledgements", report.updated);
    let _ = writeln!(text, "{} unchanged", report.unchanged);
    let _ = writeln!(text, "{} failed", report.failed.len());
    text
}

/// What the end of a period of dual writes found.
#[derive(Serialize)]
struct Finished<'a> {
    repair: &'a Report,
    #[serde(flatten)]
    parity: &'a Parity,
}

/// Prints a repair and the comparison after it. Anything but parity is exit status 1.
pub fn finish(context: &Context<'_>, repair: &Report, parity: &Parity) -> Result {
    let text = || import_text(repair, "the store") + &parity_text(parity);
    context.printer.data(&Finished { repair, parity }, text)?;
    if parity.parity { Ok(()) } else { Err(Failure::Status(FAILED)) }
}

/// Prints what a comparison found. Anything but parity is exit status 1.
pub fn parity(context: &Context<'_>, report: &Parity) -> Result {
    context.printer.data(report, || parity_text(report))?;
    if report.parity { Ok(()) } else { Err(Failure::Status(FAILED)) }
}

fn parity_text(report: &Parity) -> String {
    let mut text = String::new();
    for (what, ids) in
        [("only in the source", &report.missing_in_destination), ("only in the destination", &report.missing_in_source)]
    {
        for id in ids.iter().take(SHOWN) {
            let _ = writeln!(text, "  {what}: {}", one_line(id));
        }
        more(&mut text, ids.len());
    }
    for difference in report.different.iter().take(SHOWN) {
        let _ = writeln!(text, "  different: {}", one_line(&difference.id));
        for (field, sides) in &difference.fields {
            let (source, destination) = (sides.source.to_string(), sides.destination.to_string());
            let _ = writeln!(text, "    {field}: {} | {}", one_line(&source), one_line(&destination));
        }
    }
    more(&mut text, report.different.len());
    for entry in report.unreadable.iter().take(SHOWN) {
        let _ = writeln!(
            text,
            "  unreadable in the {}: {}: {}",
            entry.side,
            one_line(&entry.origin),
            one_line(&entry.reason)
        );
    }
    more(&mut text, report.unreadable.len());
    let _ = writeln!(
        text,
        "source {}, destination {}, same {}, different {}, unreadable {}",
        report.source_count,
        report.destination_count,
        report.same,
        report.different.len() + report.missing_in_destination.len() + report.missing_in_source.len(),
        report.unreadable.len()
    );
    let _ = writeln!(text, "{}", if report.parity { "parity" } else { "no parity" });
    text
}

fn more(text: &mut String, count: usize) {
    if count > SHOWN {
        let _ = writeln!(text, "  … and {} more (--json lists all)", count - SHOWN);
    }
}
