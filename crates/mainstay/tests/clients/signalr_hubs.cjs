// Listens at the four hubs with the client that others wrote. Arguments: the node's URL, what to try, and the URL of the
// node at which events are published. The key of the bridge is in MAINSTAY_BRIDGE_KEY. Prints a line for each thing that
// worked.

const { key, connection, expect, same, refusal, overEach, random, cutter, run } = require("./signalr.cjs");

const [what, publisher] = process.argv.slice(3);
let ids = 0;

async function post(path, headers, body) {
  const answer = await fetch(`${publisher}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  expect(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}

function publish(stream, type, room, payload) {
  return post(`/v1/events/${stream}`, { authorization: `Bearer ${key}` }, { type, room, payload });
}

function bridge(path, body) {
  const event_id = `bridged-${process.pid}-${(ids += 1)}`;
  return post(`/internal/${path}`, { "x-internal-api-key": process.env.MAINSTAY_BRIDGE_KEY }, { event_id, ...body });
}

// A client, and a way to wait for what it is told.
async function listener(hub, transport, messagepack, methods) {
  const client = connection(hub, transport, { messagepack });
  const told = [];
  const waiting = [];
  for (const method of methods) {
    client.on(method, (...args) => {
      const wanted = waiting.findIndex((one) => one.method === method);
      if (wanted < 0) return told.push({ method, args });
      waiting.splice(wanted, 1)[0].resolve(args);
    });
  }
  const next = (method) => {
    const at = told.findIndex((one) => one.method === method);
    if (at >= 0) return Promise.resolve(told.splice(at, 1)[0].args);
    return new Promise((resolve, reject) => {
      waiting.push({ method, resolve });
      setTimeout(() => reject(new Error(`${hub} was not told ${method}, but ${JSON.stringify(told)}`)), 30000).unref();
    });
  };
  await client.start();
  return { client, next, told };
}

async function chat(transport, messagepack, id) {
  const methods = ["RoomJoined", "RoomLeft", "ReceiveMessage", "TypingIndicator", "ReadStatusUpdate", "TicketUpdate"];
  const one = await listener("chat", transport, messagepack, methods);
  const other = await listener("chat", transport, messagepack, methods);
  for (const { client, next } of [one, other]) {
    await client.invoke("JoinRoom", id);
    same(await next("RoomJoined"), [id], "joined");
  }
  const message = { id: "m", content: "grün \u001e ☂", sequenceNumber: 2 ** 40, sender: { id: null } };
  await bridge("chat/message", { request_id: id, message });
  await publish("chat", "chat_message", `request:${id}`, message);
  for (const { next } of [one, other]) {
    same(await next("ReceiveMessage"), [message], "a message over the bridge");
    same(await next("ReceiveMessage"), [message], "a message over the API");
  }
  await one.client.invoke("SendTyping", id, true);
  const [typing] = await other.next("TypingIndicator");
  same([typing.requestId, typing.isTyping], [id, true], "who types");
  await one.client.invoke("MarkRead", id, ["m"]);
  const [read] = await other.next("ReadStatusUpdate");
  same(read.messageIds, ["m"], "what was read");
  await bridge("ticket/update", { request_id: id, update: { type: "status_change", data: { a: 1 }, requestId: id } });
  for (const { next } of [one, other]) same((await next("TicketUpdate"))[0].data, { a: 1 }, "an update");
  expect(!one.told.some(({ method }) => method === "TypingIndicator"), "it heard itself");
  await other.client.invoke("LeaveRoom", id);
  same(await other.next("RoomLeft"), [id], "left");
  await bridge("chat/message", { request_id: id, message });
  await one.next("ReceiveMessage");
  same(other.told, [], "told after it left");
  await Promise.all([one.client.stop(), other.client.stop()]);
}

async function ticket(transport, messagepack, id) {
  const methods = ["TicketSubscribed", "UserTicketsSubscribed", "TicketUpdate", "TaskStatusChanged", "NewTicket"];
  const { client, next } = await listener("ticket", transport, messagepack, methods);
  await client.invoke("SubscribeToTicket", id);
  same(await next("TicketSubscribed"), [id], "subscribed");
  await client.invoke("SubscribeToUserTickets");
  await next("UserTicketsSubscribed");
  await publish("ticket", "status_change", `ticket:${id}`, { request_id: id, new_status: "open" });
  const [update] = await next("TicketUpdate");
  same([update.requestId, update.eventType, update.data.newStatus], [id, "status_change", "open"], "an update");
  await bridge("ticket/task-status", { request_id: id, status: "done", changed_by: "7" });
  same((await next("TaskStatusChanged"))[0].changedBy, "7", "a task");
  await client.stop();
}

async function notification(transport, messagepack, id) {
  const methods = ["Connected", "Notification", "ActiveChatSet", "SubscriptionsRefreshed", "NewMessageNotification"];
  const { client, next } = await listener("notification", transport, messagepack, methods);
  const [{ userId }] = await next("Connected");
  await bridge("notification/send", { user_id: userId, notification: { title: id, action_url: "/" } });
  const [told] = await next("Notification");
  same([told.title, told.actionUrl], [id, "/"], "a notification");
  await client.invoke("SetActiveChat", null);
  same(await next("ActiveChatSet"), [null], "the chat");
  await client.invoke("RefreshSubscriptions", [id]);
  same(await next("SubscriptionsRefreshed"), [], "the subscriptions");
  await bridge("notification/new-message", { request_id: id, message: { n: 1 } });
  same(await next("NewMessageNotification"), [{ n: 1 }], "a new message");
  await client.stop();
}

async function remote(transport, messagepack, id) {
  const methods = ["SessionJoined", "ParticipantJoined", "ParticipantLeft", "SdpOffer", "ControlEnabled", "SessionEnded"];
  const agent = await listener("remote-access", transport, messagepack, methods);
  const requester = await listener("remote-access", transport, messagepack, methods);
  await requester.client.invoke("JoinSession", id, "requester");
  const [joined] = await requester.next("SessionJoined");
  same([joined.sessionId, joined.participantType], [id, "requester"], "joined");
  await agent.client.invoke("JoinSession", id, "agent");
  same((await requester.next("ParticipantJoined"))[0].participantType, "agent", "the other end");
  await agent.client.invoke("SendSdpOffer", id, { sdp: "v=0", type: "offer" });
  same((await requester.next("SdpOffer"))[0].payload, { sdp: "v=0", type: "offer" }, "an offer");
  await agent.client.invoke("EnableControl", id);
  await requester.next("ControlEnabled");
  const forged = await refusal(agent.client.invoke("SendSignal", id, "SessionEnded", {}));
  expect(forged.includes("told by the server alone"), forged);
  await agent.client.stop();
  await requester.next("ParticipantLeft");
  await bridge("remote-access/ended", { session_id: id, reason: "left" });
  same((await requester.next("SessionEnded"))[0].reason, "left", "the end");
  await requester.client.stop();
}

async function hubs(transport, messagepack) {
  for (const hub of [chat, ticket, notification, remote]) {
    await hub(transport, messagepack, `${hub.name}-${transport}-${messagepack}`);
  }
}

// Messages are published while the socket is cut again and again: each is told once, and in order.
async function stateful(messagepack) {
  const proxy = await cutter(15, messagepack ? 5 : 9);
  const client = connection("chat", "WebSockets", { messagepack, stateful: true, url: proxy.url });
  const told = [];
  let closed;
  client.on("ReceiveMessage", ({ n }) => told.push(n));
  client.on("RoomJoined", () => {});
  client.onclose((error) => (closed = error ?? new Error("closed")));
  await client.start();
  await client.invoke("JoinRoom", `stateful-${messagepack}`);
  const next = random(17);
  const total = 400;
  for (let n = 0; n < total; n += 1) {
    await bridge("chat/message", { request_id: `stateful-${messagepack}`, message: { n, rest: "x".repeat(next(400)) } });
    if (closed) throw closed;
  }
  while (told.length < total && !closed) await new Promise((resolve) => setTimeout(resolve, 20));
  if (closed) throw closed;
  same(told, [...Array(total).keys()], "the messages");
  expect(proxy.state.cuts === 15, `it was cut ${proxy.state.cuts} times`);
  await client.stop();
  console.log(`stateful ${messagepack ? "messagepack" : "json"}: ok`);
}

const tries = {
  hubs: () => overEach("hubs", hubs),
  stateful: () => stateful(false).then(() => stateful(true)),
};

run(tries[what]());
