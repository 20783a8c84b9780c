//! `mainstay providers credential set`.

use super::Whose;
use crate::cli::context::Context;
use crate::failure::{Failure, Result};
use clap::Args;
use mainstay_api::providers::PutCredentialQuery;
use mainstay_api::{Code, RawJson};
use std::io::{IsTerminal, Read};
use std::path::PathBuf;

/// Longest credential that is read, in bytes.
const MAX_CREDENTIAL_BYTES: u64 = 64 * 1_024;

/// Writes the credential of a provider: a token file as it is, of either family of names. It is sealed as a whole.
#[derive(Debug, Args)]
#[command(after_help = "Example: mainstay providers credential set gemini-cli-oauth work --from oauth_creds.json")]
pub struct Set {
    #[command(flatten)]
    whose: Whose,
    /// The file; stdin when absent. Never an argument, which other users of the machine can see.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// The version that is replaced, 0 for none.
    #[arg(long, value_name = "VERSION")]
    expected: Option<u64>,
}

impl Set {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let text = match &self.from {
            Some(path) => std::fs::File::open(path).and_then(read),
            None => {
                if std::io::stdin().is_terminal() {
                    context.printer.note("the credential, as JSON; end with Ctrl-D:");
                }
                read(std::io::stdin().lock())
            }
        };
        let text = text.map_err(|cause| Failure::io("the credential cannot be read", &cause))?;
        // What a parser says of it may repeat parts of it.
        let text = RawJson::parse(&text).map_err(|_| {
            let help = "Give a token file as it is.";
            Failure::new(Code::InvalidRequest, "the credential is no JSON of a bearable size", help)
        })?;
        context.ready_to_seal().await?;
        let Whose { pool, provider } = &self.whose;
        let query = PutCredentialQuery { expected: self.expected };
        let written = context.client_plain().await?.credential(pool, provider).put(&text, &query).await?;
        super::print(context, &written)
    }
}

fn read(from: impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    from.take(MAX_CREDENTIAL_BYTES + 1).read_to_string(&mut text)?;
    Ok(text)
}
