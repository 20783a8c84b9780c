-- Forgets reservations that nobody can settle any more.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  before when they ended, in milliseconds
-- ARGV[2]  how many at most
--
-- Returns  {how many, {what usage may lack: request, what it is to be told, ...}, id, ns}; without a key, the last two are
--          empty
--@include shared/keys
--@include keys/key

local gone = redis.call('ZRANGEBYSCORE', flight, '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, request in ipairs(gone) do
  redis.call('HDEL', open, request)
  redis.call('ZREM', flight, request)
end
local key = redis.call('HMGET', meta, 'id', 'ns')
return {#gone, redis.call('HGETALL', base .. 'unposted'), key[1] or '', key[2] or ''}
