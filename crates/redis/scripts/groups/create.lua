-- Makes a group.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the group
-- ARGV[2]  the group, encoded
-- ARGV[3]  where it begins: a place, or $
-- ARGV[4]  groups at most
--
-- Returns  'created', 'exists' or 'too_many'
--@include shared/keys
--@include events/log
--@include groups/work

if redis.call('EXISTS', stream) == 1 then
  local there = redis.call('XINFO', 'GROUPS', stream)
  for _, row in ipairs(there) do
    if named(row).name == group then return 'exists' end
  end
  if #there >= tonumber(ARGV[4]) then return 'too_many' end
end
-- Whoever deletes a stream deletes its groups, and leaves what stands beside it.
clear()
redis.call('XGROUP', 'CREATE', stream, group, ARGV[3], 'MKSTREAM')
return 'created'
