-- Every instance of a namespace.
--
-- KEYS[1]  <base>meta
--
-- Returns  {name, doc, reg, beat, 1 where work is set, work, …}
--@include shared/keys

local beats = redis.call('ZRANGE', base .. 'beat', 0, -1, 'WITHSCORES')
local rows = {}
for i = 1, #beats, 2 do
  local name = beats[i]
  local work = redis.call('HGET', base .. 'work', name)
  rows[#rows + 1] = name
  rows[#rows + 1] = redis.call('HGET', base .. 'doc', name) or ''
  rows[#rows + 1] = redis.call('HGET', base .. 'reg', name) or ''
  rows[#rows + 1] = beats[i + 1]
  rows[#rows + 1] = work and '1' or '0'
  rows[#rows + 1] = work or ''
end
return rows
