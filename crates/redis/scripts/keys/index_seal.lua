-- Says what the body of a key is sealed with: before it is written besides what is known, afterwards alone.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the id
-- ARGV[2]  the key of the ring, or empty
-- ARGV[3]  'besides' or 'alone'
--
-- Returns  1
--@include shared/keys

local known = redis.call('HGET', base .. 'seals', ARGV[1]) or ''
local seals = ARGV[3] == 'alone' and ARGV[2] or known .. ' ' .. ARGV[2]
if seals == '' then
  redis.call('HDEL', base .. 'seals', ARGV[1])
else
  redis.call('HSET', base .. 'seals', ARGV[1], seals)
end
return 1
