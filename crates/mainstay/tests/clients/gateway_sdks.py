"""The stock clients of three protocols, each with pools of all three: words and tools, whole and streamed.

Usage: gateway_sdks.py <server> <key> <pool of OpenAI> <pool of Anthropic> <pool of Gemini>
"""

import sys

import anthropic
import openai
from google import genai
from google.genai import types

SERVER, KEY, *POOLS = sys.argv[1:]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
QUESTION = "Grüße, how are you?"
ANSWER = f"You said: {QUESTION}"


def expect(what, found, wanted):
    if found != wanted:
        raise SystemExit(f"{what}: {found!r} instead of {wanted!r}")


def with_openai(base):
    client = openai.OpenAI(base_url=f"{base}/v1", api_key=KEY, max_retries=0)
    ask = {"model": "small", "messages": [{"role": "user", "content": QUESTION}]}
    tools = [{"type": "function", "function": {"name": "weather", "description": "d", "parameters": SCHEMA}}]
    whole = client.chat.completions.create(**ask)
    expect(f"openai {base}", whole.choices[0].message.content, ANSWER)
    expect(f"openai usage {base}", (whole.usage.prompt_tokens, whole.usage.completion_tokens), (11, 7))
    chunks = list(client.chat.completions.create(**ask, stream=True))
    words = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    expect(f"openai streamed {base}", words, ANSWER)
    call = client.chat.completions.create(**ask, tools=tools).choices[0].message.tool_calls[0]
    expect(f"openai tool {base}", (call.function.name, call.function.arguments.replace(" ", "")), ("weather", '{"city":"Paris"}'))
    name, arguments = "", ""
    for chunk in client.chat.completions.create(**ask, tools=tools, stream=True):
        for delta in (chunk.choices[0].delta.tool_calls or []) if chunk.choices else []:
            name += delta.function.name or ""
            arguments += delta.function.arguments or ""
    expect(f"openai streamed tool {base}", (name, arguments.replace(" ", "")), ("weather", '{"city":"Paris"}'))
    said = {"role": "assistant", "content": None, "tool_calls": [call.model_dump()]}
    told = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    after = client.chat.completions.create(
        model="small", messages=[ask["messages"][0], said, told, ask["messages"][0]], tools=tools)
    expect(f"openai after a tool {base}", after.choices[0].message.content, ANSWER)


def with_anthropic(base):
    client = anthropic.Anthropic(base_url=base, api_key=KEY, max_retries=0)
    ask = {"model": "small", "max_tokens": 100, "messages": [{"role": "user", "content": QUESTION}]}
    tools = [{"name": "weather", "description": "d", "input_schema": SCHEMA}]
    whole = client.messages.create(**ask)
    expect(f"anthropic {base}", whole.content[0].text, ANSWER)
    expect(f"anthropic usage {base}", (whole.usage.input_tokens, whole.usage.output_tokens), (11, 7))
    with client.messages.stream(**ask) as stream:
        expect(f"anthropic streamed {base}", "".join(stream.text_stream), ANSWER)
    with client.messages.stream(**ask, tools=tools) as stream:
        final = stream.get_final_message()
    call = next(block for block in final.content if block.type == "tool_use")
    expect(f"anthropic streamed tool {base}", (call.name, call.input, final.stop_reason), ("weather", {"city": "Paris"}, "tool_use"))
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}
    turns = [
        ask["messages"][0],
        {"role": "assistant", "content": [{"type": "tool_use", "id": call.id, "name": call.name, "input": call.input}]},
        {"role": "user", "content": [result, {"type": "text", "text": QUESTION}]},
    ]
    after = client.messages.create(model="small", max_tokens=100, messages=turns, tools=tools)
    expect(f"anthropic after a tool {base}", after.content[0].text, ANSWER)
    if not client.messages.count_tokens(model="small", messages=ask["messages"]).input_tokens > 0:
        raise SystemExit("anthropic counts no tokens")


def with_gemini(base):
    client = genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=base))
    weather = types.FunctionDeclaration(name="weather", description="d", parameters=SCHEMA)
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[weather])])
    ask = {"model": "small", "contents": QUESTION}
    whole = client.models.generate_content(**ask)
    expect(f"gemini {base}", whole.text, ANSWER)
    expect(f"gemini usage {base}", whole.usage_metadata.prompt_token_count, 11)
    words = "".join(chunk.text or "" for chunk in client.models.generate_content_stream(**ask))
    expect(f"gemini streamed {base}", words, ANSWER)
    call = client.models.generate_content(**ask, config=config).function_calls[0]
    expect(f"gemini tool {base}", (call.name, call.args), ("weather", {"city": "Paris"}))
    calls = [call for chunk in client.models.generate_content_stream(**ask, config=config)
             for call in chunk.function_calls or []]
    expect(f"gemini streamed tool {base}", [(call.name, call.args) for call in calls], [("weather", {"city": "Paris"})])


def refusals():
    base = f"{SERVER}/nowhere"
    try:
        openai.OpenAI(base_url=f"{base}/v1", api_key=KEY, max_retries=0).chat.completions.create(
            model="small", messages=[{"role": "user", "content": "x"}])
        raise SystemExit("openai asks a pool that there is not")
    except openai.NotFoundError as error:
        expect("openai error", "nowhere" in str(error), True)
    try:
        anthropic.Anthropic(base_url=SERVER, api_key="sk-wrong", max_retries=0).messages.create(
            model="small", max_tokens=1, messages=[{"role": "user", "content": "x"}])
        raise SystemExit("anthropic is let in with a wrong key")
    except anthropic.AuthenticationError as error:
        expect("anthropic error", error.body["type"], "error")
    # Kept in a variable: a client that nobody holds closes itself in the middle of its call.
    client = genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=base))
    try:
        client.models.generate_content(model="small", contents="x")
        raise SystemExit("gemini asks a pool that there is not")
    except genai.errors.ClientError as error:
        expect("gemini error", error.code, 404)


for pool in POOLS:
    with_openai(f"{SERVER}/{pool}")
    with_anthropic(f"{SERVER}/{pool}")
    with_gemini(f"{SERVER}/{pool}")
refusals()
listed = [model.id for model in openai.OpenAI(base_url=f"{SERVER}/v1", api_key=KEY).models.list()]
expect("the models", "small" in listed, True)
print(f"sdks: {3 * len(POOLS)} pairs")
