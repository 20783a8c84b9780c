// The stock client of OpenAI for JavaScript, with pools of three protocols: words and tools, whole and streamed.
//
// Usage: node gateway_openai.mjs <folder of the client> <server> <key> <pool>…

import { createRequire } from 'node:module'

const [folder, server, key, ...pools] = process.argv.slice(2)
const { OpenAI } = createRequire(`${folder}/`)('openai')
const QUESTION = 'Grüße, how are you?'
const ANSWER = `You said: ${QUESTION}`
const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const tools = [{ type: 'function', function: { name: 'weather', description: 'd', parameters } }]

function expect(what, found, wanted) {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new Error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`)
  }
}

async function speak(pool) {
  const client = new OpenAI({ baseURL: `${server}/${pool}/v1`, apiKey: key, maxRetries: 0 })
  const ask = { model: 'small', messages: [{ role: 'user', content: QUESTION }] }
  const whole = await client.chat.completions.create(ask)
  expect(pool, whole.choices[0].message.content, ANSWER)
  expect(`${pool} usage`, [whole.usage.prompt_tokens, whole.usage.completion_tokens], [11, 7])
  let words = ''
  for await (const chunk of await client.chat.completions.create({ ...ask, stream: true })) {
    words += chunk.choices[0]?.delta.content ?? ''
  }
  expect(`${pool} streamed`, words, ANSWER)
  const called = await client.chat.completions.create({ ...ask, tools })
  const call = called.choices[0].message.tool_calls[0]
  expect(`${pool} tool`, [call.function.name, JSON.parse(call.function.arguments)], ['weather', { city: 'Paris' }])
  let given = ''
  for await (const chunk of await client.chat.completions.create({ ...ask, tools, stream: true })) {
    for (const delta of chunk.choices[0]?.delta.tool_calls ?? []) given += delta.function?.arguments ?? ''
  }
  expect(`${pool} streamed tool`, JSON.parse(given), { city: 'Paris' })
}

async function refused() {
  const stranger = new OpenAI({ baseURL: `${server}/v1`, apiKey: 'sk-wrong', maxRetries: 0 })
  try {
    await stranger.models.list()
  } catch (error) {
    expect('a wrong key', [error instanceof OpenAI.AuthenticationError, error.status], [true, 401])
    return
  }
  throw new Error('a wrong key is let in')
}

for (const pool of pools) await speak(pool)
await refused()
console.log(`openai: ${pools.length} pools`)
