-- Acknowledges events.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the group
-- ARGV[2]  the group, encoded
-- ARGV[3…] the events
--
-- Returns  how many were waiting for it
--@include shared/keys
--@include events/log
--@include groups/work

local count = 0
for i = 3, #ARGV do
  local done = redis.call('XACK', stream, group, ARGV[i])
  count = count + (done > 0 and done or let_go(member_of(ARGV[i])))
end
return count
