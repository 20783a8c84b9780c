-- Puts bytes on their way.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  'in' or 'out'
-- ARGV[2]  the bytes, opaque
-- ARGV[3]  bytes that may wait at most
-- ARGV[4]  the present, in milliseconds
-- ARGV[5]  channel of the wake-ups
-- ARGV[6]  what to publish there
--
-- Returns  their number, 0 where too much waits, -1 where there is no such connection
--@include shared/keys
--@include connections/connection

local way, now = ARGV[1], tonumber(ARGV[4])
if not is_alive(now) then return -1 end
local waiting = tonumber(redis.call('HGET', meta, way .. 'b') or '0')
if redis.call('LLEN', base .. way) > 0 and waiting + #ARGV[2] > tonumber(ARGV[3]) then return 0 end
redis.call('RPUSH', base .. way, ARGV[2])
redis.call('HINCRBY', meta, way .. 'b', #ARGV[2])
local number = redis.call('HINCRBY', meta, way .. 'n', 1)
keep_till_end(now)
redis.call('PUBLISH', ARGV[5], ARGV[6])
return number
