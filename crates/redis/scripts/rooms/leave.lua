-- A connection leaves a room.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded room
-- ARGV[2]  the connection, opaque
-- ARGV[3]  the present, in milliseconds
-- ARGV[4]  channel of the wake-ups
-- ARGV[5]  what to publish there
--
-- Returns  1 where its member has no connection there any more
--@include shared/keys
--@include rooms/occupants

local now = tonumber(ARGV[3])
local was_alive = is_alive(ARGV[1], ARGV[2], now)
local member = take_out(ARGV[1], ARGV[2])
if not was_alive or not member or holds(ARGV[1], member, now) then return 0 end
redis.call('PUBLISH', ARGV[4], ARGV[5])
return 1
