// Speaks to a hub with the client that others wrote. Arguments: the node's URL, and what to try. Prints a line for each
// thing that worked.

const { signalR, connection, expect, same, refusal, overEach, random, cutter, run } = require("./signalr.cjs");

const what = process.argv[3];

// What every transport and protocol must do.
async function everything(transport, messagepack) {
  const client = connection("events", transport, { messagepack });
  client.on("Probe", (value) => ({ back: value }));
  await client.start();
  const value = { text: "grün \u001e \n ☂", list: [1, -1, 2 ** 40, 0.5, null, true], deep: { a: [[]] } };
  same(await client.invoke("Probe", value), { back: value }, "a result of the client");
  const unknown = await refusal(client.invoke("nothing like it"));
  expect(unknown.includes("Unknown hub method 'nothing like it'"), unknown);
  const unfit = await refusal(client.invoke("Probe", 1, "soon"));
  expect(unfit.includes("argument 2 of 'Probe' does not fit"), unfit);
  const unanswered = await refusal(streamed(client.stream("Probe", 1)));
  expect(unanswered.includes("streaming"), unanswered);
  if (messagepack) {
    const bytes = await client.invoke("Probe", new Uint8Array([0, 255, 30]));
    same([...bytes.back], [0, 255, 30], "binary data");
  }
  const large = "x".repeat(100000);
  same((await client.invoke("Probe", large)).back.length, 100000, "a large message");
  const many = await Promise.all([...Array(20).keys()].map((n) => client.invoke("Probe", n)));
  same(many.map((answer) => answer.back), [...Array(20).keys()], "calls in order");
  await client.stop();
}

function streamed(stream) {
  return new Promise((complete, error) => {
    const items = [];
    stream.subscribe({ next: (item) => items.push(item), complete: () => complete(items), error });
  });
}

// Streams both ways: what is uploaded comes back, with its end or its error, until it is cancelled.
async function streams(transport, messagepack) {
  const client = connection("events", transport, { messagepack });
  await client.start();
  const upload = new signalR.Subject();
  const back = streamed(client.stream("ProbeStream", upload));
  for (let n = 0; n < 50; n += 1) upload.next({ n });
  upload.complete();
  same((await back).map((item) => item.n), [...Array(50).keys()], "the items");

  const broken = new signalR.Subject();
  const refused = refusal(streamed(client.stream("ProbeStream", broken)));
  broken.next(1);
  broken.error("the upload broke");
  expect((await refused).includes("the upload broke"), await refused);

  const endless = new signalR.Subject();
  const first = await new Promise((resolve, error) => {
    const subscription = client.stream("ProbeStream", endless).subscribe({
      next: (item) => {
        subscription.dispose();
        resolve(item);
      },
      complete: () => error(new Error("it ended")),
      error,
    });
    endless.next("first");
  });
  same(first, "first", "the first item");
  const plain = await refusal(client.invoke("ProbeStream", new signalR.Subject()));
  expect(plain.includes("streaming method"), plain);
  // The connection is as good as new.
  const again = new signalR.Subject();
  const last = streamed(client.stream("ProbeStream", again));
  again.next(1);
  again.complete();
  same(await last, [1], "the stream after those");
  await client.stop();
}

// The socket is cut again and again: neither side loses a call, and none is made twice.
async function stateful(messagepack) {
  const proxy = await cutter(15, messagepack ? 7 : 3);
  const client = connection("events", "WebSockets", { messagepack, stateful: true, url: proxy.url });
  const called = [];
  client.on("Probe", (value) => {
    called.push(value.n);
    return { n: value.n, rest: value.rest };
  });
  let closed;
  client.onclose((error) => (closed = error ?? new Error("closed")));
  await client.start();
  const next = random(11);
  const answers = [];
  const total = 400;
  for (let n = 0; n < total; n += 1) {
    answers.push(client.invoke("Probe", { n, rest: "x".repeat(next(400)) }));
    if (n % 5 === 0) await answers[n];
    if (closed) throw closed;
  }
  const back = await Promise.all(answers);
  same(back.map((answer) => answer.n), [...Array(total).keys()], "the answers");
  same(called, [...Array(total).keys()], "the calls of the server");
  expect(proxy.state.cuts === 15, `it was cut ${proxy.state.cuts} times`);
  await client.stop();
  console.log(`stateful ${messagepack ? "messagepack" : "json"}: ok`);
}

// The server is stopped and started again: the client comes back by itself.
async function reconnect() {
  const client = connection("events", "WebSockets", { reconnect: Array(200).fill(200) });
  client.on("Probe", (value) => value);
  client.onreconnecting((error) => console.log(`reconnecting: ${error?.message}`));
  const again = new Promise((resolve) => client.onreconnected(resolve));
  await client.start();
  const before = client.connectionId;
  console.log("connected");
  const now = await again;
  expect(now !== before, "it is the same connection");
  same(await client.invoke("Probe", 1), 1, "the answer");
  await client.stop();
  console.log("reconnected: ok");
}

const tries = {
  everything: () => overEach("everything", everything),
  streams: () => overEach("streams", streams),
  stateful: () => stateful(false).then(() => stateful(true)),
  reconnect,
};

run(tries[what]());
