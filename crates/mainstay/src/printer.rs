//! All output. Data goes to stdout, everything else to stderr, so that a pipe carries data alone.

use crate::failure::{Failure, Result};
use anstream::AutoStream;
use mainstay_api::Problem;
use owo_colors::OwoColorize;
use serde::Serialize;
use std::borrow::Cow;
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

/// Owns stdout and stderr.
pub struct Printer {
    json: bool,
    on_terminal: bool,
    stdout: Mutex<AutoStream<std::io::Stdout>>,
    stderr: Mutex<AutoStream<std::io::Stderr>>,
}

impl Printer {
    /// A printer; with `json`, data is printed as JSON. Colour follows the terminal, `NO_COLOR` and its kin.
    #[must_use]
    pub fn new(json: bool) -> Self {
        Self {
            json,
            on_terminal: std::io::stdout().is_terminal(),
            stdout: Mutex::new(anstream::stdout()),
            stderr: Mutex::new(anstream::stderr()),
        }
    }

    /// Whether data is to be printed as JSON.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints data: as JSON where that is asked for, else as the given text.
    pub fn data<T: Serialize>(&self, value: &T, text: impl FnOnce() -> String) -> Result {
        if self.json { self.document(value) } else { self.text(&text()) }
    }

    /// Prints one item of a stream: a line of JSON where that is asked for, else the given text.
    pub fn item<T: Serialize>(&self, value: &T, text: impl FnOnce() -> String) -> Result {
        if self.json { self.text(&to_json(value, false)?) } else { self.text(&text()) }
    }

    /// Prints one line of JSON, whatever the form asked for: it is the form of the data itself.
    pub fn line<T: Serialize>(&self, value: &T) -> Result {
        self.text(&to_json(value, false)?)
    }

    /// Prints text and the end of a line. What is printed has left the process when this returns.
    pub fn text(&self, text: &str) -> Result {
        let mut stdout = self.stdout.lock().unwrap_or_else(PoisonError::into_inner);
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        stdout.write_all(format!("{text}{end}").as_bytes()).and_then(|()| stdout.flush()).map_err(|cause| {
            match cause.kind() {
                ErrorKind::BrokenPipe => Failure::BrokenPipe,
                _ => Failure::io("the output cannot be written", &cause),
            }
        })
    }

    /// Prints exactly these bytes, colour and all, also where nobody watches: what the scripts of the original did.
    pub fn verbatim(&self, text: &str) -> Result {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|cause| match cause.kind() {
            ErrorKind::BrokenPipe => Failure::BrokenPipe,
            _ => Failure::io("the output cannot be written", &cause),
        })
    }

    /// Prints text in the place of what a terminal shows; elsewhere behind it.
    pub fn page(&self, text: &str) -> Result {
        const HOME_AND_CLEAR: &str = "\x1b[H\x1b[2J";
        let clear = if self.on_terminal { HOME_AND_CLEAR } else { "" };
        self.text(&format!("{clear}{text}"))
    }

    /// Rows: a table on a terminal, else one line each with tabs between the cells.
    #[must_use]
    pub fn rows(&self, head: &[&str], rows: Vec<Vec<String>>) -> String {
        let clean = |cell: String| printable(&cell).into_owned();
        if !self.on_terminal {
            let line = |row: Vec<String>| {
                row.into_iter().map(|cell| clean(cell).replace(['\n', '\t'], " ")).collect::<Vec<_>>().join("\t") + "\n"
            };
            return rows.into_iter().map(line).collect();
        }
        let mut table = comfy_table::Table::new();
        table
            .load_style(comfy_table::presets::NOTHING)
            .set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
        table.set_header(
            head.iter().map(|title| comfy_table::Cell::new(title).add_attribute(comfy_table::Attribute::Bold)),
        );
        table.add_rows(rows.into_iter().map(|row| row.into_iter().map(clean).collect::<Vec<_>>()));
        table.to_string()
    }

    /// Says something about the call, on stderr.
    pub fn note(&self, text: &str) {
        self.say(format_args!("{}", printable(text)));
    }

    /// Warns, on stderr.
    pub fn warning(&self, text: &str) {
        self.say(format_args!("{}: {}", "warning".yellow().bold(), printable(text)));
    }

    /// Reports a problem, on stderr: the document where JSON is asked for.
    pub fn problem(&self, problem: &Problem) {
        if self.json {
            if let Ok(document) = to_json(problem, false) {
                self.say(format_args!("{document}"));
            }
            return;
        }
        let code = format!("error[{}]", problem.code);
        self.say(format_args!("{}: {}", code.red().bold(), printable(&problem.detail)));
        if !problem.valid_values.is_empty() {
            self.say(format_args!("{}: {}", "valid".cyan().bold(), printable(&problem.valid_values.join(", "))));
        }
        self.say(format_args!("{}: {}", "help".cyan().bold(), printable(&problem.help)));
    }

    fn document<T: Serialize>(&self, value: &T) -> Result {
        self.text(&to_json(value, self.on_terminal)?)
    }

    fn say(&self, line: std::fmt::Arguments<'_>) {
        let mut stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        // Where nobody can be told, there is nobody to tell that either.
        let _ = writeln!(stderr, "{line}");
    }
}

/// JSON in which what is hostile to a terminal is escaped. It can stand within strings only; left as it is, some of it
/// would also be taken for colour and cut out on the way to a pipe.
fn to_json<T: Serialize>(value: &T, pretty: bool) -> Result<String> {
    let text = if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    let mut text = text.map_err(|cause| mainstay_core::Error::bug(cause.to_string()))?;
    // Only documents that are carried as they were written hold these as they are, and only between their values.
    if text.contains('\r') || (!pretty && text.contains('\n')) {
        text = text.replace(['\r', '\n'], " ");
    }
    if !text.contains(is_hostile) {
        return Ok(text);
    }
    let escaped = |c: char| if is_hostile(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    Ok(text.chars().map(escaped).collect())
}

/// Text that others wrote, made harmless for a terminal: control characters could move the cursor, hide text or
/// answer in the reader's name, and direction marks could turn words around. Line ends and tabs stay.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hostile) {
        return Cow::Borrowed(text);
    }
    let shown = |c: char| if is_hostile(c) { c.escape_unicode().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(shown).collect())
}

/// Control characters and direction marks, all of them in the first 2^16 characters; not the end of a line and the tab.
fn is_hostile(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The same for text that has to stay on one line.
#[must_use]
pub fn one_line(text: &str) -> String {
    printable(text).replace(['\n', '\t'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_cannot_command_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\u{9b}c\r\n"), "a\\u{1b}[2Jb\\u{9b}c\\u{d}\n");
        assert_eq!(printable("plain é 日本\n\tx"), "plain é 日本\n\tx");
        assert_eq!(one_line("a\nb"), "a b");
    }

    #[test]
    fn a_line_of_json_stays_one_whatever_it_carries() {
        let carried = mainstay_api::RawJson::parse("{\r\n  \"a\\n\":\t1\r\n}").unwrap();
        let line = to_json(&carried, false).unwrap();
        assert_eq!(line, "{    \"a\\n\":\t1  }");
        for pretty in [false, true] {
            let document = to_json(&carried, pretty).unwrap();
            assert_eq!(serde_json::from_str::<serde_json::Value>(&document).unwrap(), serde_json::json!({"a\n": 1}));
        }
    }

    #[test]
    fn json_says_the_same_and_cannot_command_the_terminal_either() {
        let hostile = "\u{7f}\u{1b}[31m\u{9b}2J\u{202e}é\r\n";
        for pretty in [false, true] {
            let document = to_json(&[hostile], pretty).unwrap();
            assert!(!document.contains(is_hostile), "{document:?}");
            assert_eq!(serde_json::from_str::<[String; 1]>(&document).unwrap(), [hostile]);
        }
    }
}
