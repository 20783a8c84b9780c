//! Translation between protocols: bodies as the libraries of their makers send them, and what becomes of them.

#[path = "translation/answers.rs"]
mod answers;
#[path = "translation/random.rs"]
mod random;
#[path = "translation/refusals.rs"]
mod refusals;
#[path = "translation/requests.rs"]
mod requests;
#[path = "translation/streams.rs"]
mod streams;
#[path = "translation/vectors.rs"]
mod vectors;

use mainstay_gateway::Protocol;
use mainstay_gateway::translate::{self, Context, Options, Translated};
use serde_json::Value;

/// Options with a name and a time that are always the same.
fn options() -> Options {
    let mut options = Options::new("0123abcd", 1_700_000_000);
    options.upstream_model = Some("there".into());
    options
}

/// A request that is passed on, and what the upstream reads.
fn asked(client: Protocol, upstream: Protocol, body: &str) -> (Value, Translated) {
    asked_with(client, upstream, body, &options())
}

fn asked_with(client: Protocol, upstream: Protocol, body: &str, options: &Options) -> (Value, Translated) {
    let mut options = options.clone();
    if client == Protocol::Gemini {
        options.model = Some("here".into());
    }
    let translated = translate::request(client, upstream, body.as_bytes(), &options).unwrap();
    (serde_json::from_slice(&translated.body).unwrap(), translated)
}

/// The context of the smallest request.
fn context(client: Protocol, upstream: Protocol) -> Context {
    let body = vectors::small(client);
    let mut options = options();
    if client == Protocol::Gemini {
        options.model = Some("here".into());
        options.stream = true;
    }
    translate::request(client, upstream, body.as_bytes(), &options).unwrap().context
}
