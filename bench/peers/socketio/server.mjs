// Socket.IO on Redis Streams, as its documentation sets it up.
//   node server.mjs serve <redis url>             listens, prints its port, puts each client into the room `bench`
//   node server.mjs publish <redis url> <payload> for each number that it reads, emits that many events to the room
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { createAdapter } from "@socket.io/redis-streams-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const [role, url, payload] = process.argv.slice(2);
const client = createClient({ url });
await client.connect();
const http = createServer();
const io = new Server(http, { adapter: createAdapter(client), transports: ["websocket"], pingInterval: 3600_000 });
io.on("connection", (socket) => socket.join("bench"));
http.listen(0, "127.0.0.1", () => console.log(http.address().port));
if (role === "publish") {
  for await (const line of createInterface({ input: process.stdin })) {
    for (let sent = 0; sent < Number(line); sent += 1) io.to("bench").emit("event", payload);
    console.log("sent");
  }
}
