-- Who is in a room, by member and then by arrival.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded room
-- ARGV[2]  connections at most
-- ARGV[3]  the present, in milliseconds
--
-- Returns  {member, arrival, connection, what it says of itself or '', …}
--@include shared/keys
--@include rooms/occupants

local room, limit, now = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local rows, found, from = {}, 0, 0
while found < limit do
  local page = redis.call('ZRANGE', base .. 'l:' .. room, from, from + STEP - 1)
  for _, element in ipairs(page) do
    local member, since, connection = parts(element)
    if found < limit and is_alive(room, connection, now) then
      found = found + 1
      rows[#rows + 1] = member
      rows[#rows + 1] = since
      rows[#rows + 1] = connection
      rows[#rows + 1] = redis.call('HGET', base .. 'd:' .. room, 'i' .. connection) or ''
    end
  end
  if #page < STEP then break end
  from = from + STEP
end
return rows
