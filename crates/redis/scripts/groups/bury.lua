-- Puts an event among the dead.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the group
-- ARGV[2]  the group, encoded
-- ARGV[3]  the consumer
-- ARGV[4]  the event
-- ARGV[5]  why, opaque
-- ARGV[6]  the present, in milliseconds
-- ARGV[7]  dead events at most
--
-- Returns  1 where it was the consumer's
--@include shared/keys
--@include events/log
--@include groups/work

local id, member = ARGV[4], member_of(ARGV[4])
local death = {id = id, reason = ARGV[5], at = ARGV[6], most = tonumber(ARGV[7])}
local consumer, _, deliveries = pending(id)
if consumer == ARGV[3] then
  local entry = redis.call('XRANGE', stream, id, id)[1]
  if not entry then
    lose(id)
    return 0
  end
  redis.call('XACK', stream, group, id)
  death.deliveries, death.fields = deliveries, entry[2]
else
  consumer, deliveries = revived(member)
  if consumer ~= ARGV[3] then return 0 end
  death.deliveries, death.fields = deliveries, cmsgpack.unpack(redis.call('HGET', back, member))[2]
  let_go(member)
end
put_among_dead(death)
return 1
