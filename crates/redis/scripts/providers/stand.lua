-- Forces a circuit open, or closes it.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the provider
-- ARGV[2]  the state
-- ARGV[3]  why; empty where it is closed
-- ARGV[4]  the present, in milliseconds
-- ARGV[5]  channel of the wake-ups
-- ARGV[6]  what to publish there
--
-- Returns  what it was; -1 where there is no such provider
--@include shared/keys
--@include providers/pool
--@include providers/circuit

local key = provider_key(ARGV[1])
if redis.call('HEXISTS', key, 'ver') == 0 then return -1 end
local was = tonumber(redis.call('HGET', key, 'bs') or CLOSED)
local state = tonumber(ARGV[2])
local since = tonumber(ARGV[4])
-- To say so again is no change.
if was == state then since = tonumber(redis.call('HGET', key, 'bsn') or '') end
stand(key, state, state ~= CLOSED and ARGV[3], since)
redis.call('PUBLISH', ARGV[5], ARGV[6])
return was
