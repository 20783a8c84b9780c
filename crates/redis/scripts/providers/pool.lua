-- A pool of providers. The names of providers inside keys are their ids, which need no encoding:
--   meta    hash: rev(ision) set(tings, opaque) seq (number of the last choice) cur (position of the last choice) trn (how far the
--           one had come that was chosen by weight last)
--   order   sorted set: providers by position
--   p:<id>  hash: the provider
--           settings: body (opaque) dis w(eight) prio max (in flight) ex (models, encoded, between spaces) seal ver upd
--           health: un(healthy) fs (failures) lfa lfm (last failure: when, words) rt (retry at) nr (needs refresh) cka ckm (checked)
--           counters, native: rq (requests) er(rors) rf (refreshes) ua (used at) fa (failed at) sq (sequence)
--           circuit: bs (1 open, 2 half-open, 3 forced) br (reason) bsn (since) bpa (probe at) mk (failures, `<ms> <node>;`)
--           ms (measured since) an (answers, `<part> <total> <slow>;`) sc (successes) ak (asked)
--           check: ckc (when a node last took one)
--           use: fl (in flight) tr (the use that is a trial) ps (how far it has come)
--   uses    hash: from a use to `<1 where it is a probe> <provider>`
--   ends    sorted set: uses by when they end
--   s:<key> string: `<until> <provider>` of a session; expires
--   counted sorted set: memos of counts that were added, by when; expires
--   memos   list: `<digest> <revision>` of the last changes; expires

local order, uses, ends = base .. 'order', base .. 'uses', base .. 'ends'

local function provider_key(id) return base .. 'p:' .. id end

-- Lua compares by the locale of the server.
local function less(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

-- Writes a field, or removes it where there is no value.
local function put(key, field, value)
  if value then redis.call('HSET', key, field, value) else redis.call('HDEL', key, field) end
end

-- Ends a use: its provider, and whether it was a probe; nothing where it is over.
local function end_use(lease)
  local taken = redis.call('HGET', uses, lease)
  if not taken then return nil end
  redis.call('HDEL', uses, lease)
  redis.call('ZREM', ends, lease)
  local id = string.sub(taken, 3)
  local key = provider_key(id)
  redis.call('HINCRBY', key, 'fl', -1)
  if redis.call('HGET', key, 'tr') == lease then redis.call('HDEL', key, 'tr') end
  return id, string.sub(taken, 1, 1) == '1'
end

-- Ends the uses whose time is over.
local function shed(now)
  repeat
    local over = redis.call('ZRANGEBYSCORE', ends, '-inf', int(now), 'LIMIT', 0, 100)
    for _, lease in ipairs(over) do end_use(lease) end
  until #over < 100
end
