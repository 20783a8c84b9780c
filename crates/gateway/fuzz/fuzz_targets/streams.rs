//! Whatever an upstream streams is told the same wherever it is cut.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use mainstay_gateway::Protocol;
use mainstay_gateway::translate::{self, Options, Stream};

const SMALL: [(Protocol, &[u8]); 4] = [
    (Protocol::OpenAi, br#"{"model":"m","messages":[{"role":"user","content":"a"}],"stream":true}"#),
    (Protocol::Responses, br#"{"model":"m","input":"a","stream":true}"#),
    (Protocol::Anthropic, br#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}],"stream":true}"#),
    (Protocol::Gemini, br#"{"contents":[{"parts":[{"text":"a"}]}]}"#),
];

fuzz_target!(|bytes: &[u8]| {
    let [first, cut, rest @ ..] = bytes else { return };
    let [client, upstream] = [first & 3, (first >> 2) & 3].map(|at| Protocol::ALL[usize::from(at)]);
    let mut options = Options::new("a", 0);
    (options.model, options.stream) = ((client == Protocol::Gemini).then(|| "m".to_owned()), true);
    let (_, small) = SMALL.iter().find(|(protocol, _)| *protocol == client).expect("every protocol has one");
    let context = translate::request(client, upstream, small, &options).expect("a request that is one").context;
    let told = |piece: usize| {
        let mut stream = Stream::new(&context);
        let mut out = BytesMut::new();
        rest.chunks(piece).for_each(|bytes| stream.push(bytes, &mut out));
        stream.finish(&mut out);
        assert!(stream.is_over());
        out
    };
    assert_eq!(told(usize::from(*cut) + 1), told(rest.len().max(1)));
});
