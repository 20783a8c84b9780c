-- Brings a dead event back, in nobody's hands.
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

local member = member_of(ARGV[3])
local packed = redis.call('HGET', dead, member)
if not packed then return 0 end
local row = cmsgpack.unpack(packed)
redis.call('HDEL', dead, member)
redis.call('ZREM', deads, member)
redis.call('HSET', back, member, cmsgpack.pack({row[1], row[5]}))
hold(member, '', 0, 0)
return 1
