-- Writes a credential where it has the expected version. What was known of its refresh is forgotten, but for the fence. A
-- repetition changes nothing.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded provider
-- ARGV[2]  the credential, sealed
-- ARGV[3]  the key that it is sealed with
-- ARGV[4]  when its access token expires, in milliseconds, or empty
-- ARGV[5]  when it is refreshed ahead of need, in milliseconds, or empty
-- ARGV[6]  the version that is replaced, 0 for none, or empty for any
-- ARGV[7]  the present, in milliseconds
-- ARGV[8]  channel of the wake-ups
-- ARGV[9]  the encoded namespace and pool
--
-- Returns  {'stored', version, 1 where it is the first of the pool} {'conflict', fields of the one that stands…}
--          {'not_found'}
--@include shared/keys
--@include credentials/state

local provider = ARGV[1]
local row = credential_row(provider)
if row and row[2] == ARGV[2] and row[6] == ARGV[7] then return {'stored', row[1], 0} end
if ARGV[6] ~= '' and ARGV[6] ~= (row and row[1] or '0') then
  if not row then return {'not_found'} end
  return {'conflict', unpack(row)}
end

local version = int(next_number(redis.call('GET', base .. 'tlast'), ARGV[7]))
local first = redis.call('EXISTS', base .. 'tkeys') == 0
redis.call('SET', base .. 'tlast', version)
redis.call('DEL', credential_key(provider))
redis.call('HSET', credential_key(provider), 'v', version, 'sealed', ARGV[2], 'key', ARGV[3], 'exp', ARGV[4],
  'ref', ARGV[5], 'upd', ARGV[7], 'fence', row and row[7] or '0')
redis.call('HSET', base .. 'tkeys', provider, ARGV[3])
if ARGV[5] == '' then
  redis.call('ZREM', base .. 'tdue', provider)
else
  redis.call('ZADD', base .. 'tdue', ARGV[5], provider)
end
redis.call('HDEL', base .. 'p:' .. provider, 'nr')
redis.call('PUBLISH', ARGV[8], 'v ' .. ARGV[9])
return {'stored', version, first and 1 or 0}
