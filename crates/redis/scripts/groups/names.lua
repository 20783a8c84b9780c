-- The groups of a log.
--
-- KEYS[1]  <base>meta
--
-- Returns  their names
--@include shared/keys
--@include events/log

local names = {}
if redis.call('EXISTS', stream) == 0 then return names end
for _, row in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  names[#names + 1] = named(row).name
end
return names
