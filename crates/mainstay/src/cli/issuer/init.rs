//! `mainstay issuer init`.

use crate::failure::Result;
use crate::printer::Printer;
use crate::test_issuer::TestIssuer;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Makes an issuer for tests in a folder, and prints the settings that trust it.
///
/// Whoever can read the folder can be anybody on a server that trusts it: never use it where it matters.
#[derive(Debug, Args)]
#[command(after_help = "Example: mainstay issuer init idp && mainstay serve --config idp/mainstay.toml")]
pub struct Init {
    /// The folder; made where it is not there.
    folder: PathBuf,
    /// The name that its tokens give in iss.
    #[arg(long, value_name = "NAME", default_value = "https://issuer.test")]
    issuer: String,
    /// The audience that its tokens are for.
    #[arg(long, default_value = "mainstay")]
    audience: String,
}

impl Init {
    /// Runs the command.
    pub fn run(self, printer: &Printer) -> Result {
        let made = TestIssuer::create(&self.folder, self.issuer, self.audience)?;
        let path = made.settings_path();
        let document = json!({ "identity": made.identity(), "settings": path });
        printer.data(&document, || made.settings())?;
        printer.note(&format!("Written to {path}. Try:", path = path.display()));
        printer.note(&format!("  mainstay serve --config {}", path.display()));
        printer.note(&format!("  mainstay issuer token {} --user ada --tenant acme", self.folder.display()));
        Ok(())
    }
}
