//! What imports and exports of the original's settings print.

use super::import::line;
use crate::aiclient::picture::Failed;
use crate::aiclient::report::Report;
use crate::aiclient::writing::Written;
use crate::cli::context::Context;
use crate::failure::{FAILED, Failure, Result};
use crate::printer::one_line;
use std::fmt::Write as _;

/// Lines of one kind shown on a terminal; `--json` has all of them.
const SHOWN: usize = 50;

/// Prints what an import did. Anything that is not in the store as it should be is exit status 1.
pub fn import(context: &Context<'_>, report: &Report, allow_missing: bool) -> Result {
    context.printer.data(report, || import_text(report))?;
    if report.is_complete(allow_missing) { Ok(()) } else { Err(Failure::Status(FAILED)) }
}

fn import_text(report: &Report) -> String {
    let mut text = String::new();
    lines(&mut text, "failed", &report.failed);
    lines(&mut text, "missing", &report.missing);
    lines(&mut text, "kept", &report.kept);
    names(&mut text, "orphan", &report.orphans);
    names(&mut text, "ignored", &report.ignored);
    let found = report.found;
    let _ = writeln!(
        text,
        "found {} pools, {} providers, {} credentials, {} files, {} sessions ({} of them over)",
        found.pools,
        found.providers,
        found.credentials,
        found.files,
        found.sessions.live + found.sessions.expired,
        found.sessions.expired
    );
    let would = if report.dry_run { "would be " } else { "" };
    let _ = writeln!(
        text,
        "{} {would}created, {} {would}replaced, {} unchanged, {} kept as the store has them",
        report.created,
        report.replaced,
        report.unchanged,
        report.kept.len()
    );
    if report.dry_run {
        let _ = writeln!(text, "nothing was written");
    } else {
        let _ = writeln!(text, "{} read back and compared", report.verified);
        if report.created + report.replaced == 0 {
            let _ = writeln!(text, "nothing had to be changed");
        }
    }
    let (orphans, missing, failed) = (report.orphans.len(), report.missing.len(), report.failed.len());
    let _ = writeln!(text, "{orphans} token files of no provider kept, {missing} missing, {failed} failed");
    text
}

/// Prints what an export did. Anything that is not in the folder is exit status 1.
pub fn export(context: &Context<'_>, written: &Written) -> Result {
    context.printer.data(written, || {
        let mut text = String::new();
        lines(&mut text, "failed", &written.failed);
        let would = if written.dry_run { "would be " } else { "" };
        let (created, replaced, unchanged) = (written.created, written.replaced, written.unchanged);
        let _ = writeln!(text, "{created} {would}created, {replaced} {would}replaced, {unchanged} unchanged");
        let _ = writeln!(text, "{} failed", written.failed.len());
        text
    })?;
    if written.failed.is_empty() { Ok(()) } else { Err(Failure::Status(FAILED)) }
}

fn lines(text: &mut String, word: &str, failed: &[Failed]) {
    for failed in failed.iter().take(SHOWN) {
        let _ = writeln!(text, "  {word:7} {}", line(failed));
    }
    more(text, failed.len());
}

fn names(text: &mut String, word: &str, names: &[String]) {
    for name in names.iter().take(SHOWN) {
        let _ = writeln!(text, "  {word:7} {}", one_line(name));
    }
    more(text, names.len());
}

fn more(text: &mut String, count: usize) {
    if count > SHOWN {
        let _ = writeln!(text, "  … and {} more (--json lists all)", count - SHOWN);
    }
}
