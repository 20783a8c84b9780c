-- Forgets reservations that nobody can settle any more.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  before when they ended, in milliseconds
-- ARGV[2]  how many at most
--
-- Returns  {how many, what usage may lack: request, what it is to be told, ...}
--@include shared/keys
--@include keys/key

local gone = redis.call('ZRANGEBYSCORE', flight, '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, request in ipairs(gone) do
  redis.call('HDEL', open, request)
  redis.call('ZREM', flight, request)
end
return {#gone, redis.call('HGETALL', base .. 'unposted')}
