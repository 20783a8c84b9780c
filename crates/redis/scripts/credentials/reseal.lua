-- Replaces the seal of a credential that still has this version, and nothing else of it.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded provider
-- ARGV[2]  the version
-- ARGV[3]  the credential, sealed anew
-- ARGV[4]  the key that it is sealed with
--
-- Returns  1, or 0 where it has another version
--@include shared/keys
--@include credentials/state

if redis.call('HGET', credential_key(ARGV[1]), 'v') ~= ARGV[2] then return 0 end
redis.call('HSET', credential_key(ARGV[1]), 'sealed', ARGV[3], 'key', ARGV[4])
redis.call('HSET', base .. 'tkeys', ARGV[1], ARGV[4])
return 1
