-- Every API key that has not ended.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the present, in milliseconds
--
-- Returns  {key, secret, last use or empty, record, …}
--@include shared/keys
--@include identity/state

local records = redis.call('HGETALL', base .. 'keys')
local rows = {}
for i = 1, #records, 2 do
  local id = records[i]
  if is_valid(id, tonumber(ARGV[1])) then
    rows[#rows + 1] = id
    rows[#rows + 1] = redis.call('HGET', base .. 'ksec', id)
    rows[#rows + 1] = redis.call('HGET', base .. 'kused', id) or ''
    rows[#rows + 1] = records[i + 1]
  end
end
return rows
