-- Adds a user whose name nobody has.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the user
-- ARGV[2]  the encoded form of the name in which names are compared
-- ARGV[3]  the record, opaque
-- ARGV[4]  users at most
--
-- Returns  'inserted' 'taken' 'full'
--@include shared/keys

if redis.call('HEXISTS', base .. 'names', ARGV[2]) == 1 then return 'taken' end
if redis.call('HEXISTS', base .. 'users', ARGV[1]) == 1 then return 'taken' end
if redis.call('HLEN', base .. 'users') >= tonumber(ARGV[4]) then return 'full' end
redis.call('HSET', base .. 'users', ARGV[1], ARGV[3])
redis.call('HSET', base .. 'uver', ARGV[1], 1)
redis.call('HSET', base .. 'uname', ARGV[1], ARGV[2])
redis.call('HSET', base .. 'names', ARGV[2], ARGV[1])
return 'inserted'
