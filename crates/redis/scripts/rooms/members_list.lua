-- The members of a room behind a name, in the order of their bytes.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded room
-- ARGV[2]  behind which member, opaque, or empty
-- ARGV[3]  members at most
-- ARGV[4]  the present, in milliseconds
--
-- Returns  {member, 'inf' without an end or milliseconds, …}
--@include shared/keys
--@include rooms/members

local room, limit, now = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4])
local rows, from = {}, ARGV[2] == '' and '-' or '(' .. ARGV[2]
while #rows < limit * 2 do
  local page = redis.call('ZRANGEBYLEX', base .. 'n:' .. room, from, '+', 'LIMIT', 0, limit)
  for _, member in ipairs(page) do
    local till = #rows < limit * 2 and is_member(room, member, now)
    if till then
      rows[#rows + 1] = member
      rows[#rows + 1] = till
    end
  end
  if #page < limit then break end
  from = '(' .. page[#page]
end
return rows
