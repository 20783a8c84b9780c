//! Whatever is asked is translated or refused, and whatever is answered is an answer or an error.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use mainstay_gateway::translate::{self, Options};
use mainstay_gateway::{Protocol, counting, errors};

const SMALL: [(Protocol, &[u8]); 4] = [
    (Protocol::OpenAi, br#"{"model":"m","messages":[{"role":"user","content":"a"}]}"#),
    (Protocol::Responses, br#"{"model":"m","input":"a"}"#),
    (Protocol::Anthropic, br#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}]}"#),
    (Protocol::Gemini, br#"{"contents":[{"parts":[{"text":"a"}]}]}"#),
];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let [client, upstream] = [first & 3, (first >> 2) & 3].map(|at| Protocol::ALL[usize::from(at)]);
    let mut options = Options::new("a", 0);
    options.model = (client == Protocol::Gemini).then(|| "m".to_owned());
    if let Err(refused) = translate::request(client, upstream, rest, &options) {
        drop(refused.answer(client));
    }
    drop(counting::estimate(client, rest));
    drop(errors::read(400, rest));
    let (_, small) = SMALL.iter().find(|(protocol, _)| *protocol == client).expect("every protocol has one");
    let context = translate::request(client, upstream, small, &options).expect("a request that is one").context;
    drop(translate::answer(&context, 200, &Bytes::copy_from_slice(rest)));
});
