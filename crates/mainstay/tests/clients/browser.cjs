// Tabs of a real browser (MAINSTAY_TEST_BROWSER) against a node. Arguments: the node's URL, what to try, the port to serve the
// pages on, the page of the guide, and keys. Prints a line for each thing that worked.

const { run } = require("./signalr.cjs");
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const http = require("node:http");
const os = require("node:os");
const path = require("node:path");

const [node, what, port, page, ...keys] = process.argv.slice(2);
const ORIGIN = `http://127.0.0.1:${port}`;
const PAGES = {
  "/": () => fs.readFileSync(page, "utf8"),
  "/source": () => "<!doctype html><title>source</title>",
};

function serve() {
  const server = http.createServer((request, response) => {
    const body = PAGES[new URL(request.url, ORIGIN).pathname];
    response.writeHead(body ? 200 : 404, { "content-type": "text/html; charset=utf-8" });
    response.end(body?.());
  });
  return new Promise((resolve) => server.listen(Number(port), "127.0.0.1", resolve));
}

// The browser, spoken to in the protocol of its developer tools, over two pipes: it ends when they do, whatever ends this
// program.
class Browser {
  constructor() {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "browser-"));
    this.waiting = new Map();
    this.last = 0;
    const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"];
    const asked = ["--remote-debugging-pipe", `--user-data-dir=${this.folder}`, "about:blank"];
    const stdio = ["ignore", "ignore", "ignore", "pipe", "pipe"];
    this.child = spawn(process.env.MAINSTAY_TEST_BROWSER, [...flags, ...asked], { stdio });
    this.child.on("error", (error) => this.failed(error));
    this.child.on("exit", () => this.failed(new Error("the browser has ended")));
    let heard = Buffer.alloc(0);
    this.child.stdio[4].on("data", (data) => {
      heard = Buffer.concat([heard, data]);
      for (let end = heard.indexOf(0); end >= 0; end = heard.indexOf(0)) {
        this.answered(JSON.parse(heard.subarray(0, end).toString()));
        heard = heard.subarray(end + 1);
      }
    });
  }

  // Waits until every process of it has ended, so that its folder can go.
  async close() {
    const ended = new Promise((resolve) => this.child.on("close", resolve));
    this.ask("Browser.close").catch(() => {});
    await ended;
    fs.rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  failed(error) {
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }

  answered({ id, result, error }) {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (error) waiting?.reject(new Error(error.message));
    else waiting?.resolve(result);
  }

  ask(method, params = {}, sessionId = undefined) {
    const id = (this.last += 1);
    this.child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }

  async open(url) {
    const { targetId } = await this.ask("Target.createTarget", { url });
    const { sessionId } = await this.ask("Target.attachToTarget", { targetId, flatten: true });
    const tab = {
      eval: async (expression) => {
        const asked = { expression, returnByValue: true, awaitPromise: true };
        const { result, exceptionDetails } = await this.ask("Runtime.evaluate", asked, sessionId);
        if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        return result.value;
      },
      text: (id) => tab.eval(`document.getElementById(${JSON.stringify(id)})?.textContent ?? ""`),
      press: async (key) => {
        await tab.eval("document.getElementById('text').focus()");
        if (key === "Enter") {
          const enter = { key, code: key, windowsVirtualKeyCode: 13, text: "\r" };
          await this.ask("Input.dispatchKeyEvent", { type: "keyDown", ...enter }, sessionId);
          await this.ask("Input.dispatchKeyEvent", { type: "keyUp", ...enter }, sessionId);
        } else {
          await this.ask("Input.insertText", { text: key }, sessionId);
        }
      },
    };
    await until(() => tab.eval("document.readyState === 'complete' && location.href !== 'about:blank'"), () => url);
    return tab;
  }
}

async function until(condition, what) {
  for (let n = 0; n < 800; n += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`in vain: ${await what()}`);
}

// Two tabs of the page of the guide: somebody types in one, and the other shows it.
async function tabs(browser) {
  const address = (name, key) => `${ORIGIN}/#${new URLSearchParams({ name, key, server: node.replace("http", "ws") })}`;
  const [ada, bob] = [await browser.open(address("ada", keys[0])), await browser.open(address("bob", keys[1]))];
  for (const tab of [ada, bob]) {
    await until(async () => (await tab.text("state")).endsWith(": connected"), () => tab.text("state"));
  }
  console.log("connected: ok");
  await ada.press("hello");
  await until(async () => (await bob.text("typing")) === "ada is typing …", () => bob.text("typing"));
  await bob.press("hi");
  await until(async () => (await ada.text("typing")) === "bob is typing …", () => ada.text("typing"));
  console.log("typing: ok");
  await ada.press("Enter");
  for (const tab of [ada, bob]) {
    await until(async () => (await tab.text("said")).includes("ada: hello"), () => tab.text("said"));
  }
  await until(async () => (await bob.text("typing")) === "", () => bob.text("typing"));
  console.log("said: ok");
}

// An EventSource, which comes back by itself with the last id that it had.
async function source(browser) {
  const tab = await browser.open(`${ORIGIN}/source`);
  const followed = `${node}/v1/events/chat/live?room=request:42&access_token=${keys[0]}`;
  await tab.eval(`
    window.seen = []; window.begun = 0; window.gaps = 0;
    window.source = new EventSource(${JSON.stringify(followed)});
    source.addEventListener("ready", () => { begun += 1; });
    source.addEventListener("gap", () => { gaps += 1; });
    source.onmessage = (event) => {
      const { position, payload } = JSON.parse(event.data);
      if (event.lastEventId !== position) throw new Error("the id is not the position");
      seen.push(payload.n);
    };`);
  await until(() => tab.eval("begun === 1"), () => tab.eval("source.readyState"));
  console.log("begun: ok");
  await until(() => tab.eval("seen.length >= 3"), () => tab.eval("seen.join()"));
  console.log("heard: ok");
  await until(() => tab.eval("seen.length >= 6"), () => tab.eval("[begun, gaps, seen.join()].join(' ')"));
  console.log(`in all: ${await tab.eval("seen.join()")}, begun ${await tab.eval("begun")} times, ${await tab.eval("gaps")} gaps`);
}

run(
  (async () => {
    await serve();
    const browser = new Browser();
    await { tabs, source }[what](browser);
    await browser.close();
  })(),
);
