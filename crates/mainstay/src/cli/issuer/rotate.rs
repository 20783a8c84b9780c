//! `mainstay issuer rotate`.

use crate::failure::Result;
use crate::printer::Printer;
use crate::test_issuer::TestIssuer;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Gives an issuer for tests a new key, and prints its id. A running server takes it up by itself.
#[derive(Debug, Args)]
pub struct Rotate {
    /// The folder of the issuer.
    folder: PathBuf,
    /// Withdraw the keys before it: tokens that they signed end at once.
    #[arg(long)]
    withdraw: bool,
}

impl Rotate {
    /// Runs the command.
    pub fn run(self, printer: &Printer) -> Result {
        let mut issuer = TestIssuer::open(&self.folder)?;
        issuer.rotate(self.withdraw)?;
        let key = &issuer.identity().key;
        printer.data(&json!({ "key": key }), || key.clone())
    }
}
