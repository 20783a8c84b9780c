-- Removes presence and memberships whose time has passed.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the present, in milliseconds
-- ARGV[2]  of each at most
-- ARGV[3]  channel of the wake-ups
-- ARGV[4]  what to publish there
--
-- Returns  {presence, memberships} removed
--@include shared/keys
--@include rooms/occupants
--@include rooms/members

local now, limit = tonumber(ARGV[1]), tonumber(ARGV[2])

-- Goes through the rooms that may hold something that is over, and notes when to look again.
local function go_through(due, ends, remove)
  local removed = 0
  for _, room in ipairs(redis.call('ZRANGEBYSCORE', base .. due, '-inf', int(now), 'LIMIT', 0, limit)) do
    removed = removed + remove(room, now, limit - removed)
    local earliest = redis.call('ZRANGE', base .. ends .. room, 0, 0, 'WITHSCORES')[2]
    if earliest and earliest ~= 'inf' then
      redis.call('ZADD', base .. due, earliest, room)
    else
      redis.call('ZREM', base .. due, room)
    end
    if removed >= limit then break end
  end
  return removed
end

local occupants = go_through('due', 'e:', shed)
local members = go_through('left', 't:', drop_over)
if occupants + members > 0 then redis.call('PUBLISH', ARGV[3], ARGV[4]) end
return {occupants, members}
