-- Replaces how the publishers of a namespace choose their transport. A repetition of the last change changes nothing.
-- It is a setting: it stays until it is replaced.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the settings, opaque
-- ARGV[2]  the version that is replaced, or empty for any
-- ARGV[3]  the present, in milliseconds
-- ARGV[4]  who changes it
-- ARGV[5]  channel of the wake-ups
-- ARGV[6]  the encoded namespace
--
-- Returns  {'stored' or 'conflict', the version that it has now}
--@include shared/keys

local found = redis.call('HMGET', base .. 'meta', 'doc', 'version', 'at', 'by')
local version = tonumber(found[2] or '0')
if found[1] == ARGV[1] and found[3] == ARGV[3] and found[4] == ARGV[4] then return {'stored', int(version)} end
if ARGV[2] ~= '' and tonumber(ARGV[2]) ~= version then return {'conflict', int(version)} end
version = version + 1
redis.call('HSET', base .. 'meta', 'doc', ARGV[1], 'version', int(version), 'at', ARGV[3], 'by', ARGV[4])
redis.call('PUBLISH', ARGV[5], 't ' .. ARGV[6])
return {'stored', int(version)}
