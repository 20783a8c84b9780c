-- Records a sign of life; an instance that is not registered is registered by it.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded instance
-- ARGV[2]  the run that beats, or empty
-- ARGV[3]  1 where ARGV[4] says what it does now
-- ARGV[4]  what it does now
-- ARGV[5]  the present, in milliseconds
-- ARGV[6]  instances at most
-- ARGV[7]  channel of the wake-ups
-- ARGV[8]  the encoded namespace
-- ARGV[9]  what an unregistered instance says of itself, opaque
--
-- Returns  'beaten' 'registered' 'superseded' 'full'
--@include shared/keys
--@include presence/instances

local name = ARGV[1]
local known = redis.call('ZSCORE', base .. 'beat', name)
if known then
  local run = redis.call('HGET', base .. 'run', name)
  if ARGV[2] ~= '' and run and run ~= '' and run ~= ARGV[2] then return 'superseded' end
elseif not may_hold(name, tonumber(ARGV[6])) then
  return 'full'
else
  redis.call('HSET', base .. 'doc', name, ARGV[9])
  redis.call('HSET', base .. 'run', name, ARGV[2])
  redis.call('HSET', base .. 'reg', name, ARGV[5])
end
redis.call('ZADD', base .. 'beat', ARGV[5], name)
if ARGV[3] == '1' then redis.call('HSET', base .. 'work', name, ARGV[4]) end
keep_for_a_week()
if not known or ARGV[3] == '1' then redis.call('PUBLISH', ARGV[7], 'p ' .. ARGV[8]) end
return known and 'beaten' or 'registered'
