-- Forgets a key of a namespace.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the id
-- ARGV[2]  the digest of the secret
-- ARGV[3]  before when it was made, in milliseconds, or empty
--
-- Returns  1, or 0 where another is noted, or a later one
--@include shared/keys

if redis.call('HGET', base .. 'digests', ARGV[1]) ~= ARGV[2] then return 0 end
if ARGV[3] ~= '' and tonumber(redis.call('HGET', base .. 'made', ARGV[1]) or 0) >= tonumber(ARGV[3]) then return 0 end
for _, name in ipairs({'digests', 'made', 'seals'}) do redis.call('HDEL', base .. name, ARGV[1]) end
redis.call('ZREM', base .. 'ids', ARGV[1])
return 1
