-- Remembers a challenge.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the digest of the challenge
-- ARGV[2]  the user
-- ARGV[3]  the digest under which guesses of the account are counted
-- ARGV[4]  when it ends, in milliseconds
--
-- Returns  1
--@include shared/keys

local key = base .. 'c:' .. ARGV[1]
redis.call('HSET', key, 'user', ARGV[2], 'account', ARGV[3], 'expires', ARGV[4], 'answers', 0)
redis.call('PEXPIREAT', key, ARGV[4])
return 1
