//! `mainstay completions`.

use super::Cli;
use crate::failure::Result;
use crate::printer::Printer;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Prints the completions of a shell.
#[derive(Debug, Args)]
#[command(after_help = "Example: mainstay completions bash > ~/.local/share/bash-completion/completions/mainstay")]
pub struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    /// Runs the command.
    pub fn run(self, printer: &Printer) -> Result {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "mainstay", &mut script);
        printer.text(&String::from_utf8_lossy(&script))
    }
}
