-- Says that a consumer still works on events.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the group
-- ARGV[2]  the group, encoded
-- ARGV[3]  the consumer
-- ARGV[4…] the events
--
-- Returns  those that are still its own
--@include shared/keys
--@include events/log
--@include groups/work

local kept = {}
for i = 4, #ARGV do
  local id = ARGV[i]
  if pending(id) == ARGV[3] then
    if fields_of(id) then
      redis.call('XCLAIM', stream, group, ARGV[3], 0, id, 'JUSTID')
      kept[#kept + 1] = id
    else
      lose(id)
    end
  else
    local member = member_of(id)
    local consumer, deliveries = revived(member)
    if consumer == ARGV[3] then
      hold(member, consumer, deliveries, clock())
      kept[#kept + 1] = id
    end
  end
end
return kept
