-- The dead of a group, oldest first.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the group
-- ARGV[2]  the group, encoded
-- ARGV[3]  behind this place
-- ARGV[4]  events at most
-- ARGV[5]  bytes at most, about
--
-- Returns  {{id, deliveries, reason, when, {field, value, …}}, …}
--@include shared/keys
--@include events/log
--@include groups/work

local rows, bytes = {}, 0
for _, member in ipairs(redis.call('ZRANGEBYLEX', deads, '(' .. member_of(ARGV[3]), '+', 'LIMIT', 0, ARGV[4])) do
  local packed = redis.call('HGET', dead, member)
  rows[#rows + 1] = cmsgpack.unpack(packed)
  bytes = bytes + string.len(packed)
  if bytes > tonumber(ARGV[5]) then break end
end
return rows
