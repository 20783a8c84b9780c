-- Ends a membership.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded room
-- ARGV[2]  the member, opaque
-- ARGV[3]  the present, in milliseconds
-- ARGV[4]  channel of the wake-ups
-- ARGV[5]  what to publish there
--
-- Returns  1 where it ended one
--@include shared/keys
--@include rooms/members

local now = tonumber(ARGV[3])
local was = is_member(ARGV[1], ARGV[2], now)
drop_member(ARGV[1], ARGV[2])
keep_members(ARGV[1], now)
if not was then return 0 end
redis.call('PUBLISH', ARGV[4], ARGV[5])
return 1
