//! Exports as a stream of JSON lines.

use crate::app::App;
use crate::problem;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use http::header::CONTENT_TYPE;
use mainstay_core::api::conversations::ExportLine;
use mainstay_core::{Error, Result};

/// The media type of JSON lines.
pub(super) const JSON_LINES: &str = "application/x-ndjson";
/// Lines gathered into one frame: a frame for each would cost more than its line.
const LINES_OF_FRAME: usize = 100;

/// Answers with the lines as they are read. Counts as a live answer for as long as it lasts. Where reading fails on the
/// way, the answer breaks off, so that nobody takes a part for the whole.
pub(super) fn answer(app: &App, lines: BoxStream<'static, Result<ExportLine>>) -> Result<Response> {
    let permit = app.admission.live()?;
    let frames = lines.ready_chunks(LINES_OF_FRAME).map(move |lines| {
        let _counted_while_it_lasts = &permit;
        let mut frame = Vec::new();
        for line in lines {
            write(&mut frame, line)?;
        }
        Ok::<_, Error>(Bytes::from(frame))
    });
    Ok(([(CONTENT_TYPE, JSON_LINES)], Body::from_stream(frames)).into_response())
}

fn write(frame: &mut Vec<u8>, line: Result<ExportLine>) -> Result<()> {
    let line = line.inspect_err(problem::log)?;
    serde_json::to_writer(&mut *frame, &line).map_err(|cause| Error::bug(format!("a line of an export: {cause}")))?;
    frame.push(b'\n');
    Ok(())
}
