-- Forgets a dead event.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the group
-- ARGV[2]  the group, encoded
-- ARGV[3]  the event
--
-- Returns  1 where it was there
--@include shared/keys
--@include events/log
--@include groups/work

redis.call('ZREM', deads, member_of(ARGV[3]))
return redis.call('HDEL', dead, member_of(ARGV[3]))
