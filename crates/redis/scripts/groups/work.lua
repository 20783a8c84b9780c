-- What a group keeps outside of the stream: its dead, and those that were revived. Both are whole copies, because the
-- stream may have trimmed the event long since. By member, which is the place written so that its order as text is its
-- order: `dead` (what it was, with how it died) and the sorted set `deads`; `back` (what it was), `held` (how often it was
-- delivered, and to whom) and the sorted set `backs` by the time of the last delivery. `groups` counts what was lost.
local group, tag = ARGV[1], ARGV[2]
local dead, deads = base .. 'dead:' .. tag, base .. 'deads:' .. tag
local back, held, backs = base .. 'back:' .. tag, base .. 'held:' .. tag, base .. 'backs:' .. tag
local groups = base .. 'groups'

local function member_of(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return string.rep('0', 20 - #ms) .. ms .. '-' .. string.rep('0', 20 - #seq) .. seq
end

-- One clock for all nodes, by which Redis counts idleness as well.
local function clock()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- What the stream's own list says of an event: the consumer, for how long it is idle, and how often it was delivered.
local function pending(id)
  local rows = redis.pcall('XPENDING', stream, group, id, id, 1)
  if rows.err or not rows[1] then return nil end
  return rows[1][2], rows[1][3], rows[1][4]
end

-- Of a revived event: the consumer, and how often it was delivered.
local function revived(member)
  local row = redis.call('HGET', held, member)
  if not row then return nil end
  local deliveries, consumer = string.match(row, '^(%d+) (.*)$')
  return consumer, tonumber(deliveries)
end

local function hold(member, consumer, deliveries, at)
  redis.call('HSET', held, member, int(deliveries) .. ' ' .. consumer)
  redis.call('ZADD', backs, int(at), member)
end

local function let_go(member)
  redis.call('HDEL', back, member)
  redis.call('HDEL', held, member)
  return redis.call('ZREM', backs, member)
end

-- The oldest go where there are too many.
local function put_among_dead(death)
  local member = member_of(death.id)
  redis.call('HSET', dead, member, cmsgpack.pack({death.id, int(death.deliveries), death.reason, death.at, death.fields}))
  redis.call('ZADD', deads, 0, member)
  local surplus = redis.call('ZCARD', deads) - death.most
  if surplus > 0 then
    for _, gone in ipairs(redis.call('ZRANGE', deads, 0, surplus - 1)) do
      redis.call('HDEL', dead, gone)
      redis.call('ZREM', deads, gone)
    end
  end
end

-- Forgets all that stands beside the stream.
local function clear()
  redis.call('DEL', dead, deads, back, held, backs)
  redis.call('HDEL', groups, 'lost:' .. tag, 'from:' .. tag)
end

-- The fields of an event of the log; nothing where it has been trimmed.
local function fields_of(id)
  local entry = redis.call('XRANGE', stream, id, id)[1]
  return entry and entry[2]
end

-- Acknowledges what was trimmed while somebody held it.
local function lose(id)
  redis.call('XACK', stream, group, id)
  redis.call('HINCRBY', groups, 'lost:' .. tag, 1)
end
