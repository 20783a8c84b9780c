-- A gateway key. The hash meta is the record. open: what is reserved, by request; flight: the same requests by the end of
-- their time; minute: requests by arrival, and weight: their tokens, with the sum under the empty name; unposted: what
-- was settled and usage may not count yet. The body is opaque.

local FIELDS = {
  'id', 'ns', 'version', 'body', 'seal', 'rpm', 'tpm', 'rpd', 'bonus', 'most', 'budget', 'period', 'disabled', 'expires',
  'created', 'requests', 'today', 'day', 'bonus_used', 'tokens', 'spent', 'spent_from', 'used',
}
local open, flight, minute, weight = base .. 'open', base .. 'flight', base .. 'minute', base .. 'weight'
local MINUTE, DAY = 60000, 86400000

local function load_key()
  local values = redis.call('HMGET', meta, unpack(FIELDS))
  if not values[1] then return nil end
  local key = {}
  for i, name in ipairs(FIELDS) do key[name] = values[i] or '' end
  return key
end

-- The fields of a key and what is in flight, behind a word.
local function told(word, key, now)
  local row = {word}
  for _, name in ipairs(FIELDS) do row[#row + 1] = key[name] end
  row[#row + 1] = redis.call('ZCOUNT', flight, '(' .. int(now), '+inf')
  return row
end

-- The parts of what is reserved: tokens, cost, arrival, end, day, bonus, beginning of the period.
local function reserved(request)
  local packed = redis.call('HGET', open, request)
  if not packed then return nil end
  local parts = {}
  for part in string.gmatch(packed, '%S+') do parts[#parts + 1] = tonumber(part) end
  return {tokens = parts[1], cost = parts[2], day = parts[5], bonus = parts[6], spent_from = parts[7]}
end

-- Changes what a request counts in the minute, where it is in it.
local function weigh(request, tokens)
  local known = redis.call('HGET', weight, request)
  if not known then return end
  redis.call('HSET', weight, '', int(tonumber(redis.call('HGET', weight, '') or 0) + tokens - tonumber(known)))
  redis.call('HSET', weight, request, int(tokens))
end
