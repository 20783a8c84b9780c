-- A connection is in a room for a time.
--
-- KEYS[1]  <base>meta (never written; the aggregate's keys share its base)
-- ARGV[1]  the encoded room
-- ARGV[2]  the member, opaque
-- ARGV[3]  the connection, opaque
-- ARGV[4]  what it says of itself, opaque, or empty
-- ARGV[5]  the arrival, in milliseconds, with 16 digits
-- ARGV[6]  the time that it stays, in milliseconds
-- ARGV[7]  connections in the room at most
-- ARGV[8]  the present, in milliseconds
-- ARGV[9]  channel of the wake-ups
-- ARGV[10] what to publish there
--
-- Returns  'joined' 'present' 'full'
--@include shared/keys
--@include rooms/occupants

local room, member, connection, info = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local ttl, now = tonumber(ARGV[6]), tonumber(ARGV[8])
shed(room, now, STEP)
local entries, ends, details = base .. 'l:' .. room, base .. 'e:' .. room, base .. 'd:' .. room
-- One that is over and was not shed counts as gone.
local known = is_alive(room, connection, now) and redis.call('HGET', details, 'k' .. connection)
if not known and redis.call('ZCOUNT', ends, '(' .. int(now), '+inf') >= tonumber(ARGV[7]) then return 'full' end

local joined = not holds(room, member, now)
local element = member .. '\0' .. ARGV[5] .. '\0' .. connection
local changed = false
if known then
  changed = info ~= (redis.call('HGET', details, 'i' .. connection) or '')
  if parts(known) == member then element = known else changed = true end
end
if known ~= element then take_out(room, connection) end
redis.call('ZADD', entries, 0, element)
redis.call('ZADD', ends, int(now + ttl), connection)
redis.call('HSET', details, 'k' .. connection, element)
if info ~= '' then
  redis.call('HSET', details, 'i' .. connection, info)
else
  redis.call('HDEL', details, 'i' .. connection)
end
local mine = member_key(member)
redis.call('ZREMRANGEBYSCORE', mine, '-inf', int(now))
redis.call('ZADD', mine, int(now + ttl), connection .. '\0' .. room)
redis.call('ZADD', base .. 'due', 'LT', int(now + ttl), room)
for _, key in ipairs({entries, ends, details, mine, base .. 'due'}) do keep(key, ttl) end
if joined or changed then redis.call('PUBLISH', ARGV[9], ARGV[10]) end
return joined and 'joined' or 'present'
