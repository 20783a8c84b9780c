//! `mainstay settings set`.

use super::{Which, write};
use crate::cli::context::Context;
use crate::cli::conversation::input;
use crate::failure::{Failure, Result};
use clap::Args;
use mainstay_api::documents::WriteOp;
use mainstay_api::ids::RequestId;
use mainstay_api::{Code, RawJson};

/// Writes a document whole, or with --merge only the members that are given (RFC 7396: null removes one). A mask that is
/// given back keeps the secret behind it.
#[derive(Debug, Args)]
pub struct Set {
    #[command(flatten)]
    which: Which,
    /// The JSON to write; `-` reads it from stdin.
    value: String,
    /// Change only the members that are given; all others keep their text.
    #[arg(long)]
    merge: bool,
    /// Only where it has this revision; 0 where it must not be there.
    #[arg(long, value_name = "REVISION")]
    expected: Option<u64>,
    /// How long it lives, in milliseconds.
    #[arg(long, value_name = "MS")]
    ttl_ms: Option<u64>,
    /// Show what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// An id of this call: repeated with the same id, it is done once.
    #[arg(long, value_name = "ID")]
    request_id: Option<RequestId>,
}

impl Set {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let op = if self.merge { WriteOp::Patch } else { WriteOp::Put };
        let mut change = self.which.write(op);
        change.value = Some(document(self.value)?);
        change.expected = self.expected;
        change.ttl_ms = self.ttl_ms;
        write(context, change, (self.dry_run, self.request_id)).await
    }
}

/// JSON from an argument, or from stdin.
pub(super) fn document(given: String) -> Result<RawJson> {
    parse(&input::text(given)?)
}

/// JSON from a text.
pub(super) fn parse(text: &str) -> Result<RawJson> {
    RawJson::parse(text).map_err(|cause| {
        let help = "Give JSON; a text needs its quotes, such as '\"a text\"'.";
        Failure::new(Code::InvalidRequest, format!("this is no JSON: {cause}"), help)
    })
}
