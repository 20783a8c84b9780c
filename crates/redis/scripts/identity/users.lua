-- Every user.
--
-- KEYS[1]  <base>meta
--
-- Returns  {user, version, record, …}
--@include shared/keys

local records = redis.call('HGETALL', base .. 'users')
local rows = {}
for i = 1, #records, 2 do
  rows[#rows + 1] = records[i]
  rows[#rows + 1] = redis.call('HGET', base .. 'uver', records[i])
  rows[#rows + 1] = records[i + 1]
end
return rows
