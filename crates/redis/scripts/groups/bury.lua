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
-- Returns  1 where it was the consumer's, or is among the dead by this very call
--@include shared/keys
--@include events/log
--@include groups/work

local id, member = ARGV[4], member_of(ARGV[4])
local death = {id = id, reason = ARGV[5], at = ARGV[6], most = tonumber(ARGV[7])}
local consumer, _, deliveries = pending(id)
if consumer == ARGV[3] then
  death.deliveries, death.fields = deliveries, fields_of(id)
  if not death.fields then
    lose(id)
    return 0
  end
  redis.call('XACK', stream, group, id)
else
  consumer, deliveries = revived(member)
  if consumer ~= ARGV[3] then
    local row = redis.call('HGET', dead, member)
    local known = row and cmsgpack.unpack(row)
    return known and known[3] == death.reason and known[4] == death.at and 1 or 0
  end
  death.deliveries, death.fields = deliveries, cmsgpack.unpack(redis.call('HGET', back, member))[2]
  let_go(member)
end
put_among_dead(death)
return 1
