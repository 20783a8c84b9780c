-- Conversations of one owner. Names inside keys are percent-encoded ids:
--   c:<id>  hash: st(atus) ver(sion) n (messages) by(tes) cr(eated) up(dated) ac(cessed) exp(ires, '' where pinned)
--           mode (sliding or fixed) ttl pin f (fence given last) tu (until when its turn lasts) th (its holder)
--           tk (the key it was taken with) ep (which conversation of this id) head body wf (opaque)
--   m:<id>  stream: the messages, `<seq>-0`, with d (document, opaque) a (when) f (fence or '')
--   p:<id>  sorted set: places of messages that wait, by the fence that they wait for; 0 where there will be no answer
--   idx     sorted set: ids by the time of the last change
--   exp     sorted set: ids by expiry
--   req:<key>, reqs  remembered requests, and their keys by the time that ends them

-- How long keys outlive the life of what is in them: time for clocks to differ.
local GRACE_MS = 3600000

local function record_key(id) return base .. 'c:' .. id end
local function log_key(id) return base .. 'm:' .. id end
local function waiting_key(id) return base .. 'p:' .. id end

-- A conversation whose life has not ended, as numbers.
local function find_alive(id, now)
  local f = redis.call('HMGET', record_key(id), 'ver', 'n', 'by', 'exp', 'mode', 'ttl', 'f', 'tu', 'ep', 'up')
  if not f[1] then return nil end
  local ends = tonumber(f[4])
  if ends and ends <= now then return nil end
  return {
    ver = tonumber(f[1]), n = tonumber(f[2]), by = tonumber(f[3]), exp = ends, mode = f[5], ttl = tonumber(f[6]),
    f = tonumber(f[7]), tu = tonumber(f[8]), ep = f[9], up = f[10],
  }
end

-- When a conversation ends after it was used, never earlier than before; nil where it is pinned.
local function end_after_use(record, now)
  if record.exp and record.mode == 'sliding' then return math.max(record.exp, now + record.ttl) end
  return record.exp
end

local function expire(key, until_ms)
  if until_ms then redis.call('PEXPIREAT', key, int(until_ms + GRACE_MS)) else redis.call('PERSIST', key) end
end

-- The index lives as long as the conversation in it that lives longest.
local function keep_index()
  local last = redis.call('ZREVRANGE', base .. 'exp', 0, 0, 'WITHSCORES')
  if not last[1] then return end
  local until_ms = last[2] ~= 'inf' and tonumber(last[2]) or nil
  expire(base .. 'idx', until_ms)
  expire(base .. 'exp', until_ms)
end

-- Notes a use: what it is of, and when it ends (nil: never).
local function keep(id, updated, until_ms, now)
  redis.call('HSET', record_key(id), 'ac', int(now), 'exp', until_ms and int(until_ms) or '')
  expire(record_key(id), until_ms)
  expire(log_key(id), until_ms)
  expire(waiting_key(id), until_ms)
  redis.call('ZADD', base .. 'idx', updated, id)
  redis.call('ZADD', base .. 'exp', until_ms and int(until_ms) or '+inf', id)
  keep_index()
end

-- Removes a conversation, dead or alive.
local function remove(id)
  redis.call('UNLINK', record_key(id), log_key(id), waiting_key(id))
  redis.call('ZREM', base .. 'idx', id)
  redis.call('ZREM', base .. 'exp', id)
end

-- What lists show of a conversation.
local function summary_of(id)
  local f = redis.call('HMGET', record_key(id), 'st', 'ver', 'n', 'by', 'cr', 'up', 'ac', 'exp', 'mode', 'ttl', 'pin',
    'f', 'tu', 'th', 'head')
  if not f[1] then return nil end
  table.insert(f, 1, id)
  return f
end

local function wake(p)
  redis.call('PUBLISH', p.channel, p.wake)
end
