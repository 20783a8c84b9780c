-- Messages: one hash `m:<offset>` each, and the indexes of the namespace.
-- Fields: id doc ts exp type from subj req bc th settled n nr na, and for each recipient r:<name> (0, or when it
-- was read) and a:<name> (the acknowledgement, opaque).

-- How long keys outlive the last message in them: the time a purge has to remove what expired.
local GRACE_MS = 604800000

-- The inboxes that a script changed, to be woken at its end.
local changed_inboxes = {}

local function message_key(off)
  return base .. 'm:' .. off
end

-- The epoch of the namespace; the first touch sets it.
local function epoch_of(candidate)
  local epoch = redis.call('HGET', meta, 'epoch')
  if epoch then return epoch end
  redis.call('HSET', meta, 'epoch', candidate)
  redis.call('PEXPIRE', meta, 2 * GRACE_MS)
  return candidate
end

-- 1 until the set of namespaces was told of this one; the caller then sets `noted`.
local function unnoted()
  return 1 - redis.call('HEXISTS', meta, 'noted')
end

-- The moment until which keys written now are kept, never earlier than an earlier answer.
local function horizon(exp, now)
  local known = tonumber(redis.call('HGET', meta, 'horizon') or '0')
  local wanted = math.max(exp, now) + GRACE_MS
  if wanted <= known then return int(known) end
  redis.call('HSET', meta, 'horizon', int(wanted))
  redis.call('PEXPIREAT', meta, int(wanted))
  return int(wanted)
end

local function index(key, score, off, until_ms)
  redis.call('ZADD', base .. key, score, off)
  redis.call('PEXPIREAT', base .. key, until_ms)
end

-- Takes one delivery out of an inbox. What nobody read raises the mark of dropped messages.
local function leave_inbox(name, off)
  changed_inboxes[name] = true
  redis.call('ZREM', base .. 'in:' .. name, off)
  redis.call('ZREM', base .. 'log:' .. name, off)
  redis.call('ZREM', base .. 'pend:' .. name, off)
  redis.call('ZREM', base .. 'drop:' .. name, off)
  if redis.call('ZREM', base .. 'unread:' .. name, off) == 1 then
    local dropped = redis.call('HGET', base .. 'dropped', name)
    if not dropped or dropped < off then
      redis.call('HSET', base .. 'dropped', name, off)
      redis.call('PEXPIREAT', base .. 'dropped', redis.call('HGET', meta, 'horizon'))
    end
  end
end

-- Wakes the readers of the inboxes that the script changed.
local function wake(channel, namespace)
  local names = {}
  for name in pairs(changed_inboxes) do names[#names + 1] = name end
  if #names == 0 then return end
  if #names > 64 then names = {'*'} end
  redis.call('PUBLISH', channel, 'm ' .. namespace .. ' ' .. table.concat(names, ' '))
end

-- Deletes a message with its deliveries and index entries. Returns how many deliveries it had.
local function delete_message(off)
  local fields = redis.call('HGETALL', message_key(off))
  local known, deliveries = {}, 0
  for i = 1, #fields, 2 do
    known[fields[i]] = fields[i + 1]
    if string.sub(fields[i], 1, 2) == 'r:' then
      leave_inbox(string.sub(fields[i], 3), off)
      deliveries = deliveries + 1
    end
  end
  redis.call('ZREM', base .. 'timeline', off)
  redis.call('ZREM', base .. 'pending', off)
  redis.call('ZREM', base .. 'idle', off)
  redis.call('ZREM', base .. 'exp', off)
  redis.call('ZREM', base .. 'in:all', off)
  if known.id then
    redis.call('DEL', base .. 'id:' .. known.id)
    redis.call('ZREM', base .. 'sent:' .. known.from, off)
    if known.th ~= '' then redis.call('ZREM', base .. 'thread:' .. known.th, off) end
    if redis.call('HINCRBY', base .. 'types', known.type, -1) <= 0 then
      redis.call('HDEL', base .. 'types', known.type)
    end
  end
  redis.call('DEL', message_key(off))
  return deliveries
end

-- Deletes what has expired, at most `limit` messages and about `budget` deliveries, for a broadcast has one in every
-- inbox and the server does nothing else meanwhile. Returns how many messages.
local function delete_expired(now, limit, budget)
  local expired = redis.call('ZRANGEBYSCORE', base .. 'exp', '-inf', int(now), 'LIMIT', 0, limit)
  local deleted = 0
  for _, off in ipairs(expired) do
    if budget <= 0 then break end
    budget = budget - delete_message(off) - 1
    deleted = deleted + 1
  end
  return deleted
end

-- The offset of a message by its encoded id, or nil where it is absent or has expired.
local function find_alive(id, now)
  local off = redis.call('GET', base .. 'id:' .. id)
  if not off then return nil end
  local exp = redis.call('HGET', message_key(off), 'exp')
  if not exp or tonumber(exp) <= now then return nil, off end
  return off
end
