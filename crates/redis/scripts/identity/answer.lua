-- Counts an answer to a challenge.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the digest of the challenge
-- ARGV[2]  the present, in milliseconds
-- ARGV[3]  answers at most
--
-- Returns  {user, account, expires}, or nothing where it has ended or was answered as often as it may be
--@include shared/keys

local key = base .. 'c:' .. ARGV[1]
local row = redis.call('HMGET', key, 'user', 'account', 'expires', 'answers')
if not row[1] or tonumber(row[3]) <= tonumber(ARGV[2]) or tonumber(row[4]) >= tonumber(ARGV[3]) then return {} end
redis.call('HINCRBY', key, 'answers', 1)
return {row[1], row[2], row[3]}
