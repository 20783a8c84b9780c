-- Makes a group.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the group
-- ARGV[2]  where it begins: a place, or $
-- ARGV[3]  groups at most
--
-- Returns  'created', 'exists' or 'too_many'
--@include shared/keys
--@include events/log

if redis.call('EXISTS', stream) == 1 then
  local groups = redis.call('XINFO', 'GROUPS', stream)
  for _, group in ipairs(groups) do
    for i = 1, #group, 2 do
      if group[i] == 'name' and group[i + 1] == ARGV[1] then return 'exists' end
    end
  end
  if #groups >= tonumber(ARGV[3]) then return 'too_many' end
end
redis.call('XGROUP', 'CREATE', stream, ARGV[1], ARGV[2], 'MKSTREAM')
return 'created'
