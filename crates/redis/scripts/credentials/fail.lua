-- Ends a lease without a new credential, where the fence and the version are still its own.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded provider
-- ARGV[2]  the version that was to be refreshed
-- ARGV[3]  the fence
-- ARGV[4]  how it ended: 'unused', 'transient' or 'dead'
-- ARGV[5]  before when nobody tries, in milliseconds; or why it is dead
-- ARGV[6]  1 where the refresh token may have been used
-- ARGV[7]  channel of the wake-ups
-- ARGV[8]  the encoded namespace and pool
--
-- Returns  1, or 0 where the lease is another's
--@include shared/keys
--@include credentials/state

local row = credential_row(ARGV[1])
if not row or row[1] ~= ARGV[2] or row[7] ~= ARGV[3] or row[8] == '' then return 0 end
local key = credential_key(ARGV[1])
redis.call('HDEL', key, 'until')
if ARGV[4] ~= 'unused' then redis.call('HINCRBY', key, 'fails', 1) end
if ARGV[4] == 'transient' then
  redis.call('HSET', key, 'nb', ARGV[5])
elseif ARGV[4] == 'dead' then
  redis.call('HSET', key, 'dead', ARGV[5])
  redis.call('ZREM', base .. 'tdue', ARGV[1])
end
if ARGV[6] == '1' then redis.call('HSET', key, 'doubt', '1') end
redis.call('PUBLISH', ARGV[7], 'v ' .. ARGV[8])
return 1
