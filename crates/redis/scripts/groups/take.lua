-- Takes events for a consumer: revived ones, those of consumers that left them alone, and new ones.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the group
-- ARGV[2]  the group, encoded
-- ARGV[3]  the consumer
-- ARGV[4]  parameters, JSON: limit bytes (about) idle_ms deliveries (at most) examined (held events looked at, at most) reason
--          most_dead forget_ms (consumers that hold nothing are forgotten after this)
--
-- Returns  {'taken', up to where the group was delivered, buried, lost, {{id, deliveries, {field, value, …}}, …}} or
--          {'no_group'}
--@include shared/keys
--@include events/log
--@include groups/work

local consumer, p = ARGV[3], cjson.decode(ARGV[4])
local checked = redis.pcall('XPENDING', stream, group)
if checked.err then
  if string.find(checked.err, 'NOGROUP', 1, true) then return {'no_group'} end
  return checked
end
local now = clock()
local taken, bytes, buried, lost = {}, 0, 0, 0

local function is_room()
  return #taken < p.limit and bytes < p.bytes
end

local function add(id, deliveries, fields)
  for _, text in ipairs(fields) do bytes = bytes + string.len(text) end
  taken[#taken + 1] = {id, int(deliveries), fields}
end

local function bury(id, deliveries, fields)
  put_among_dead({
    id = id, deliveries = deliveries, reason = p.reason, at = int(now), fields = fields, most = p.most_dead,
  })
  buried = buried + 1
end

-- Consumers come and go with their processes. Who joins sweeps up after those that left nothing.
if redis.call('XGROUP', 'CREATECONSUMER', stream, group, consumer) == 1 then
  for _, row in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group)) do
    local said = named(row)
    if said.name ~= consumer and said.pending == 0 and said.idle > p.forget_ms then
      redis.call('XGROUP', 'DELCONSUMER', stream, group, said.name)
    end
  end
end

local waiting = redis.call('ZRANGEBYSCORE', backs, '-inf', int(now - p.idle_ms), 'LIMIT', 0, p.examined)
table.sort(waiting)
for _, member in ipairs(waiting) do
  if not is_room() then break end
  local _, deliveries = revived(member)
  local id, fields = unpack(cmsgpack.unpack(redis.call('HGET', back, member)))
  if deliveries >= p.deliveries then
    let_go(member)
    bury(id, deliveries, fields)
  else
    hold(member, consumer, deliveries + 1, now)
    add(id, deliveries + 1, fields)
  end
end

-- A list that is longer than one take looks through is looked through in portions, each take going on where the last one
-- stopped.
local from = redis.call('HGET', groups, 'from:' .. tag) or '-'
local rows = redis.call('XPENDING', stream, group, from, '+', p.examined)
local is_long = from ~= '-' or #rows == p.examined
local next_from = #rows == p.examined and '(' .. rows[#rows][1] or '-'
for _, row in ipairs(rows) do
  local id, idle, deliveries = row[1], row[3], row[4]
  if not is_room() then
    next_from = is_long and id or '-'
    break
  end
  if idle >= p.idle_ms then
    local fields = fields_of(id)
    if not fields then
      lose(id)
      lost = lost + 1
    elseif deliveries >= p.deliveries then
      redis.call('XACK', stream, group, id)
      bury(id, deliveries, fields)
    else
      redis.call('XCLAIM', stream, group, consumer, 0, id)
      add(id, deliveries + 1, fields)
    end
  end
end
if next_from ~= '-' then
  redis.call('HSET', groups, 'from:' .. tag, next_from)
elseif from ~= '-' then
  redis.call('HDEL', groups, 'from:' .. tag)
end

local AT_ONCE = 10
while is_room() do
  local count = math.min(p.limit - #taken, AT_ONCE)
  local answer = redis.call('XREADGROUP', 'GROUP', group, consumer, 'COUNT', count, 'STREAMS', stream, '>')
  local entries = answer and answer[1] and answer[1][2] or {}
  for _, entry in ipairs(entries) do add(entry[1], 1, entry[2]) end
  if #entries < count then break end
end

local delivered = '0-0'
for _, row in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  local said = named(row)
  if said.name == group then delivered = said['last-delivered-id'] end
end
return {'taken', delivered, buried, lost, taken}
