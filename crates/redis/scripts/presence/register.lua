-- Registers an instance, or replaces what is registered under its name.
--
-- KEYS[1]  <base>meta (never written; the aggregate's keys share its base)
-- ARGV[1]  the encoded instance
-- ARGV[2]  what it says of itself, opaque
-- ARGV[3]  the run that holds the name, or empty
-- ARGV[4]  the present, in milliseconds
-- ARGV[5]  instances at most
-- ARGV[6]  channel of the wake-ups
-- ARGV[7]  the encoded namespace
--
-- Returns  1, or 0 where the namespace is full
--@include shared/keys
--@include presence/instances

if not may_hold(ARGV[1], tonumber(ARGV[5])) then return 0 end
redis.call('HSET', base .. 'doc', ARGV[1], ARGV[2])
redis.call('HSET', base .. 'run', ARGV[1], ARGV[3])
redis.call('HSET', base .. 'reg', ARGV[1], ARGV[4])
redis.call('HDEL', base .. 'work', ARGV[1])
redis.call('ZADD', base .. 'beat', ARGV[4], ARGV[1])
keep_for_a_week()
redis.call('PUBLISH', ARGV[6], 'p ' .. ARGV[7])
return 1
