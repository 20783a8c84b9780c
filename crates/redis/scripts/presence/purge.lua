-- Forgets instances that have been silent for long.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  those that last beat before this
-- ARGV[2]  instances to forget at most
-- ARGV[3]  channel of the wake-ups
-- ARGV[4]  the encoded namespace
--
-- Returns  how many it forgot
--@include shared/keys
--@include presence/instances

local gone = redis.call('ZRANGEBYSCORE', base .. 'beat', '-inf', '(' .. ARGV[1], 'LIMIT', 0, tonumber(ARGV[2]))
for _, name in ipairs(gone) do forget(name) end
if #gone > 0 then redis.call('PUBLISH', ARGV[3], 'p ' .. ARGV[4]) end
return #gone
