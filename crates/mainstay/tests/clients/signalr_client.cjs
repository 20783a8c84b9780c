// Speaks to a hub with the client that others wrote. Arguments: the node's URL, and what to try. The folder of the client
// is in MAINSTAY_TEST_SIGNALR, the credential in MAINSTAY_KEY. Prints a line for each thing that worked.

const { createRequire } = require("node:module");
const installed = createRequire(process.env.MAINSTAY_TEST_SIGNALR + "/");
const signalR = installed("@microsoft/signalr");
const { MessagePackHubProtocol } = installed("@microsoft/signalr-protocol-msgpack");

const [url, what] = process.argv.slice(2);
const key = process.env.MAINSTAY_KEY;

const transports = {
  WebSockets: signalR.HttpTransportType.WebSockets,
  ServerSentEvents: signalR.HttpTransportType.ServerSentEvents,
  LongPolling: signalR.HttpTransportType.LongPolling,
};

function connection(hub, transport, options = {}) {
  const builder = new signalR.HubConnectionBuilder()
    .withUrl(`${options.url ?? url}/hubs/${hub}`, { transport: transports[transport], accessTokenFactory: () => key })
    .configureLogging(signalR.LogLevel.None);
  if (options.messagepack) builder.withHubProtocol(new MessagePackHubProtocol());
  if (options.reconnect) builder.withAutomaticReconnect(options.reconnect);
  if (options.stateful) builder.withStatefulReconnect();
  return builder.build();
}

function expect(condition, message) {
  if (!condition) throw new Error(message);
}

function same(left, right, message) {
  const [a, b] = [JSON.stringify(left), JSON.stringify(right)];
  expect(a === b, `${message}: ${a} is not ${b}`);
}

async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    return error.message;
  }
  throw new Error("it was not refused");
}

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

// Random numbers that are the same in each run.
function random(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

// A proxy that cuts a connection somewhere in the middle of what it carries, a limited number of times.
function cutter(cuts, seed) {
  const net = require("node:net");
  const target = new URL(url);
  const next = random(seed);
  const state = { cuts: 0 };
  const server = net.createServer((from) => {
    const to = net.connect(Number(target.port), target.hostname);
    let left = state.cuts < cuts ? 3000 + next(6000) : Infinity;
    let cut = false;
    const end = () => {
      from.destroy();
      to.destroy();
    };
    const pass = (source, sink) => {
      source.on("data", (bytes) => {
        if (cut) return;
        if (bytes.length >= left) {
          state.cuts += 1;
          cut = true;
          sink.write(bytes.subarray(0, left));
          // Either side loses what is on its way.
          return next(2) ? setTimeout(end, next(5)) : end();
        }
        left -= bytes.length;
        sink.write(bytes);
      });
      source.on("close", end);
      source.on("error", end);
    };
    pass(from, to);
    pass(to, from);
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve({ state, url: `http://127.0.0.1:${server.address().port}` }));
  });
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

const tries = { everything, streams };

(async () => {
  if (what === "stateful") {
    await stateful(false);
    await stateful(true);
  } else if (what === "reconnect") {
    await reconnect();
  } else {
    for (const transport of Object.keys(transports)) {
      for (const messagepack of [false, true]) {
        // Server-sent events carry text alone.
        if (messagepack && transport === "ServerSentEvents") continue;
        await tries[what](transport, messagepack);
        console.log(`${what} ${transport} ${messagepack ? "messagepack" : "json"}: ok`);
      }
    }
  }
  process.exit(0);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
