//! `mainstay events streams`.

use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::events::StreamState;

/// Lists the streams, and what they hold.
#[derive(Debug, Args)]
pub struct Streams;

impl Streams {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let streams = context.client().await?.events().streams().await?;
        let head = ["STREAM", "EVENTS", "AT MOST", "PARTITIONS", "END"];
        context.printer.data(&streams, || context.printer.rows(&head, streams.streams.iter().flat_map(rows).collect()))
    }
}

/// One row for each partition: each has an end of its own.
fn rows(stream: &StreamState) -> Vec<Vec<String>> {
    let row = |partition: &mainstay_api::events::PartitionState| {
        let several = stream.partitions.len() > 1;
        let name = if several { format!("{}:{}", stream.name, partition.partition) } else { stream.name.to_string() };
        vec![
            name,
            partition.length.to_string(),
            stream.max_len.to_string(),
            stream.partitions.len().to_string(),
            partition.position.to_string(),
        ]
    };
    stream.partitions.iter().map(row).collect()
}
