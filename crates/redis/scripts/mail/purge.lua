-- Deletes what has expired and forgets members that were not seen for long.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the present, in milliseconds
-- ARGV[2]  members seen before this are forgotten
-- ARGV[3]  messages to delete at most
-- ARGV[4]  channel of the wake-ups
-- ARGV[5]  the encoded namespace
--
-- Returns  {messages deleted, 1 where nothing is left}
--@include shared/keys
--@include mail/messages

local deleted = delete_expired(tonumber(ARGV[1]), tonumber(ARGV[3]), 2000)
redis.call('ZREMRANGEBYSCORE', base .. 'members', '-inf', '(' .. ARGV[2])
wake(ARGV[4], ARGV[5])
return {deleted, redis.call('EXISTS', meta) == 0 and 1 or 0}
