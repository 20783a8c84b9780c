-- Notes a key of a namespace under its id. Hashes digests and made: digest and making by id; sorted set ids: their order;
-- hash seals: by id, the keys of the ring that its body may be sealed with, with spaces between.
--
-- KEYS[1]  <base>meta (never written; the aggregate's keys share its base)
-- ARGV[1]  the id
-- ARGV[2]  the digest of the secret
-- ARGV[3]  the making, in milliseconds
-- ARGV[4]  keys at most
--
-- Returns  'added' 'kept' 'exists' 'full'
--@include shared/keys

local known = redis.call('HGET', base .. 'digests', ARGV[1])
if known then return known == ARGV[2] and 'kept' or 'exists' end
if redis.call('HLEN', base .. 'digests') >= tonumber(ARGV[4]) then return 'full' end
redis.call('HSET', base .. 'digests', ARGV[1], ARGV[2])
redis.call('HSET', base .. 'made', ARGV[1], ARGV[3])
redis.call('ZADD', base .. 'ids', 0, ARGV[1])
return 'added'
