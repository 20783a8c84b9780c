//! `mainstay issuer`.

mod init;
mod rotate;
mod token;

use crate::failure::Result;
use crate::printer::Printer;
use clap::Subcommand;

/// Commands about an issuer for tests.
#[derive(Debug, Subcommand)]
pub enum IssuerCommand {
    /// Make an issuer in a folder, with the settings that trust it.
    Init(init::Init),
    /// Print a token for a user.
    Token(token::Token),
    /// Give the issuer a new key.
    Rotate(rotate::Rotate),
}

impl IssuerCommand {
    /// Runs the command.
    pub fn run(self, printer: &Printer) -> Result {
        match self {
            Self::Init(command) => command.run(printer),
            Self::Token(command) => command.run(printer),
            Self::Rotate(command) => command.run(printer),
        }
    }
}
