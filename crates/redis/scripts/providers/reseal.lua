-- Replaces the seals of settings that still have this version, and nothing else of them.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the provider
-- ARGV[2]  the version
-- ARGV[3]  the settings, sealed anew
-- ARGV[4]  the key that they are sealed with, or empty
--
-- Returns  1, or 0 where they have another version
--@include shared/keys
--@include providers/pool

local key = provider_key(ARGV[1])
if redis.call('HGET', key, 'ver') ~= ARGV[2] then return 0 end
redis.call('HSET', key, 'body', ARGV[3])
put(key, 'seal', ARGV[4] ~= '' and ARGV[4])
return 1
