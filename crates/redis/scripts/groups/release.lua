-- Gives an event back.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the group
-- ARGV[2]  the group, encoded
-- ARGV[3]  the consumer
-- ARGV[4]  the event
-- ARGV[5]  for how long it counts as left alone, in milliseconds; -1 where the next take is to have it
--
-- Returns  1 where it was the consumer's
--@include shared/keys
--@include events/log
--@include groups/work

local at = ARGV[5] == '-1' and 0 or clock() - tonumber(ARGV[5])
if pending(ARGV[4]) == ARGV[3] then
  if not fields_of(ARGV[4]) then
    lose(ARGV[4])
    return 0
  end
  redis.call('XCLAIM', stream, group, ARGV[3], 0, ARGV[4], 'TIME', int(at), 'JUSTID')
  return 1
end
local member = member_of(ARGV[4])
local consumer, deliveries = revived(member)
if consumer ~= ARGV[3] then return 0 end
hold(member, consumer, deliveries, at)
return 1
