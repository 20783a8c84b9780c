-- Adds an API key.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the key
-- ARGV[2]  the digest of its secret
-- ARGV[3]  the record, opaque
-- ARGV[4]  when it ends, in milliseconds, or empty
-- ARGV[5]  the present, in milliseconds
-- ARGV[6]  keys at most
--
-- Returns  'inserted' 'taken' 'full'
--@include shared/keys
--@include identity/state

if redis.call('HEXISTS', base .. 'keys', ARGV[1]) == 1 then return 'taken' end
local most = tonumber(ARGV[6])
if redis.call('HLEN', base .. 'keys') >= most then
  for _, id in ipairs(redis.call('HKEYS', base .. 'keys')) do
    if not is_valid(id, tonumber(ARGV[5])) then forget_key(id) end
  end
  if redis.call('HLEN', base .. 'keys') >= most then return 'full' end
end
redis.call('HSET', base .. 'keys', ARGV[1], ARGV[3])
redis.call('HSET', base .. 'ksec', ARGV[1], ARGV[2])
redis.call('HSET', base .. 'kexp', ARGV[1], ARGV[4])
return 'inserted'
