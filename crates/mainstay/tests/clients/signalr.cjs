// What the programs that speak to hubs have in common. The folder of the client that others wrote is in
// MAINSTAY_TEST_SIGNALR, the credential in MAINSTAY_KEY.

const { createRequire } = require("node:module");
const installed = createRequire(process.env.MAINSTAY_TEST_SIGNALR + "/");
const signalR = installed("@microsoft/signalr");
const { MessagePackHubProtocol } = installed("@microsoft/signalr-protocol-msgpack");

const url = process.argv[2];
const key = process.env.MAINSTAY_KEY;

const transports = {
  WebSockets: signalR.HttpTransportType.WebSockets,
  ServerSentEvents: signalR.HttpTransportType.ServerSentEvents,
  LongPolling: signalR.HttpTransportType.LongPolling,
};

function connection(hub, transport, options = {}) {
  const builder = new signalR.HubConnectionBuilder()
    .withUrl(`${options.url ?? url}/hubs/${hub}`, { transport: transports[transport], accessTokenFactory: () => options.key ?? key })
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

// Each transport with each protocol that it carries, one after the other.
async function overEach(what, attempt) {
  for (const transport of Object.keys(transports)) {
    for (const messagepack of [false, true]) {
      // Server-sent events carry text alone.
      if (messagepack && transport === "ServerSentEvents") continue;
      await attempt(transport, messagepack);
      console.log(`${what} ${transport} ${messagepack ? "messagepack" : "json"}: ok`);
    }
  }
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

// Runs to the end, or says why not.
function run(program) {
  program.then(
    () => process.exit(0),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
}

module.exports = { signalR, installed, url, key, connection, expect, same, refusal, overEach, random, cutter, run };
