//! Secrets that commands ask for: never an argument, which other users of the machine can see and shells remember.

use crate::failure::{Failure, Result};
use crate::printer::Printer;
use mainstay_api::Code;
use secrecy::{ExposeSecret, SecretString};
use std::io::{BufRead, IsTerminal, Read};
use std::path::Path;

/// Longest secret that is read, in bytes.
const MAX_SECRET_BYTES: u64 = 4 * 1_024;

/// Reads a secret: the first line of the file where one is named, else a line of stdin, without echo on a terminal.
///
/// # Errors
/// It cannot be read, or there is none.
pub fn ask(printer: &Printer, what: &str, file: Option<&Path>) -> Result<SecretString> {
    let line = match file {
        Some(path) => std::fs::File::open(path).and_then(line_of),
        None if std::io::stdin().is_terminal() => {
            printer.note(&format!("{what}:"));
            let _quiet = quiet::Quiet::begin();
            line_of_stdin()
        }
        None => line_of_stdin(),
    };
    let line = line.map_err(|cause| Failure::io(format!("the {what} cannot be read"), &cause))?;
    if line.expose_secret().is_empty() {
        let help = "Type it, write it to stdin, or name a file that holds it.";
        return Err(Failure::new(Code::InvalidRequest, format!("the {what} is missing"), help));
    }
    Ok(line)
}

/// Reads a new secret: on a terminal twice, because nobody sees what is typed.
///
/// # Errors
/// Those of [`ask`], or the two differ.
pub fn ask_new(printer: &Printer, what: &str, file: Option<&Path>) -> Result<SecretString> {
    let first = ask(printer, what, file)?;
    if file.is_none() && std::io::stdin().is_terminal() {
        let again = ask(printer, &format!("{what} again"), None)?;
        if again.expose_secret() != first.expose_secret() {
            return Err(Failure::new(Code::InvalidRequest, "the two are not the same", "Type it twice the same way."));
        }
    }
    Ok(first)
}

fn line_of(file: std::fs::File) -> std::io::Result<SecretString> {
    first_line(&mut std::io::BufReader::new(file))
}

fn line_of_stdin() -> std::io::Result<SecretString> {
    first_line(&mut std::io::stdin().lock())
}

fn first_line(from: &mut impl BufRead) -> std::io::Result<SecretString> {
    let mut line = String::new();
    from.take(MAX_SECRET_BYTES).read_line(&mut line)?;
    Ok(SecretString::from(line.trim_end_matches(['\n', '\r'])))
}

/// A terminal that does not show what is typed.
#[cfg(unix)]
mod quiet {
    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    /// Shows again what is typed when it is dropped.
    pub struct Quiet(Option<Termios>);

    impl Quiet {
        pub fn begin() -> Self {
            let stdin = std::io::stdin();
            let Ok(before) = tcgetattr(&stdin) else { return Self(None) };
            let mut silent = before.clone();
            silent.local_modes.remove(LocalModes::ECHO);
            let done = tcsetattr(&stdin, OptionalActions::Flush, &silent);
            Self(done.is_ok().then_some(before))
        }
    }

    impl Drop for Quiet {
        fn drop(&mut self) {
            if let Some(before) = &self.0 {
                let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, before);
            }
        }
    }
}

/// Nothing: the console shows what is typed, and a file or a pipe does not.
#[cfg(not(unix))]
mod quiet {
    /// Nothing to undo.
    pub struct Quiet;

    impl Quiet {
        pub fn begin() -> Self {
            Self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_one_pipe_are_read_line_by_line() {
        let mut pipe = std::io::Cursor::new(b"first one\r\n second\nrest".to_vec());
        assert_eq!(first_line(&mut pipe).unwrap().expose_secret(), "first one");
        assert_eq!(first_line(&mut pipe).unwrap().expose_secret(), " second");
    }
}
