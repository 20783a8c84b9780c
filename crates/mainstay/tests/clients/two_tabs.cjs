// Opens the page of the guide twice, as two browser tabs would: its script runs with the elements that it uses and a real
// socket. Arguments: the page, the node's URL, and the keys of the two. Prints a line for each thing that worked.

const { installed, expect, run } = require("./signalr.cjs");
const fs = require("node:fs");
const vm = require("node:vm");

const [page, server, ...keys] = process.argv.slice(3);
const Socket = installed("ws");
const ORIGIN = "http://127.0.0.1:8000";

class Element {
  constructor() {
    this.textContent = "";
    this.value = "";
    this.children = [];
    this.listeners = {};
  }
  append(child) {
    this.children.push(child);
  }
  addEventListener(name, listener) {
    this.listeners[name] = listener;
  }
}

function open(name, key, origin = ORIGIN) {
  const elements = {};
  const sockets = [];
  const element = (id) => (elements[id] ??= new Element());
  class WebSocket extends Socket {
    constructor(url) {
      super(url, { origin });
      this.on("error", () => {});
      sockets.push(this);
    }
  }
  const hash = `#${new URLSearchParams({ name, key, server })}`;
  const document = { getElementById: element, createElement: () => new Element() };
  const globals = { document, location: { hash }, WebSocket, URLSearchParams, setTimeout, clearTimeout, console };
  const script = fs.readFileSync(page, "utf8").match(/<script>([\s\S]*)<\/script>/)[1];
  vm.runInNewContext(script, globals);
  return {
    typing: () => element("typing").textContent,
    state: () => element("state").textContent,
    said: () => element("said").children.map((item) => item.textContent),
    cut: () => sockets.at(-1).terminate(),
    write(text) {
      element("text").value = text;
      element("text").listeners.input();
    },
    submit: () => element("form").listeners.submit({ preventDefault() {} }),
  };
}

async function until(condition, what) {
  for (let n = 0; n < 1500; n += 1) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`in vain: ${what()}`);
}

async function tabs() {
  const [ada, bob] = [open("ada", keys[0]), open("bob", keys[1])];
  for (const tab of [ada, bob]) await until(() => tab.state().endsWith(": connected"), tab.state);
  console.log("connected: ok");
  ada.write("h");
  await until(() => bob.typing() === "ada is typing …", bob.typing);
  bob.write("i");
  await until(() => ada.typing() === "bob is typing …", ada.typing);
  console.log("typing: ok");
  ada.write("hello");
  ada.submit();
  await until(() => bob.typing() === "", bob.typing);
  for (const tab of [ada, bob]) await until(() => tab.said().join() === "ada: hello", () => tab.said().join());
  console.log("said: ok");
  bob.cut();
  ada.write("again");
  ada.submit();
  await until(() => bob.said().join() === "ada: hello,ada: again", () => bob.said().join());
  console.log("resumed: ok");
  const foreign = open("eve", keys[0], "http://evil.example");
  await until(() => foreign.state().includes("closed"), foreign.state);
  expect(!foreign.said().length, "a foreign page heard something");
  console.log("foreign origin: ok");
}

run(tabs());
