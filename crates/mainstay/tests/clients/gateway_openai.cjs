// The client of OpenAI for JavaScript, streamed and not, before pools of several protocols.
// Usage: gateway_openai.cjs <server> <key> <pool>…
const assert = require("node:assert");
const { OpenAI } = require("openai");

const [server, key, ...pools] = process.argv.slice(2);
const messages = [{ role: "user", content: "Grüße" }];

async function main() {
  for (const pool of pools) {
    const client = new OpenAI({ baseURL: `${server}/${pool}/v1`, apiKey: key, maxRetries: 0 });
    const whole = await client.chat.completions.create({ model: "small", messages });
    assert.equal(whole.choices[0].message.content, "You said: Grüße");
    let words = "";
    for await (const chunk of await client.chat.completions.create({ model: "small", messages, stream: true })) {
      words += chunk.choices[0]?.delta?.content ?? "";
    }
    assert.equal(words, "You said: Grüße");
  }
  console.log(`sdks: ${pools.length} pools`);
}

main();
