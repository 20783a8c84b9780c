-- Ends a connection, with everything that waits in it.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the present, in milliseconds
-- ARGV[2]  channel of the wake-ups
-- ARGV[3]  what to publish there
--
-- Returns  1 where it was there
--@include shared/keys
--@include connections/connection

local was_there = is_alive(tonumber(ARGV[1]))
remove()
redis.call('PUBLISH', ARGV[2], ARGV[3])
return was_there and 1 or 0
