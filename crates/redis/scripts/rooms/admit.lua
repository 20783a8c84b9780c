-- Lets a member subscribe to a room.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded room
-- ARGV[2]  the member, opaque
-- ARGV[3]  until when, in milliseconds, or +inf
-- ARGV[4]  members at most
-- ARGV[5]  the present, in milliseconds
-- ARGV[6]  channel of the wake-ups
-- ARGV[7]  what to publish there
--
-- Returns  1, or 0 where the room has as many members as it may
--@include shared/keys
--@include rooms/members

local room, member, now = ARGV[1], ARGV[2], tonumber(ARGV[5])
drop_over(room, now, 1000)
local ends = base .. 't:' .. room
if not is_member(room, member, now) and redis.call('ZCOUNT', ends, '(' .. int(now), '+inf') >= tonumber(ARGV[4]) then
  return 0
end
redis.call('ZADD', base .. 'n:' .. room, 0, member)
redis.call('ZADD', ends, ARGV[3], member)
keep_members(room, now)
if ARGV[3] ~= '+inf' then
  redis.call('ZADD', base .. 'left', 'LT', ARGV[3], room)
  local lasts = math.max(tonumber(ARGV[3]) - now, 0) + KEPT_MS
  if redis.call('PTTL', base .. 'left') < lasts then redis.call('PEXPIRE', base .. 'left', int(lasts)) end
end
redis.call('PUBLISH', ARGV[6], ARGV[7])
return 1
