-- Renews connections in rooms of a stream.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the time that they stay, in milliseconds
-- ARGV[2]  the present, in milliseconds
-- ARGV[3…] an encoded room and a connection, again and again
--
-- Returns  the places, from 0, of those that were gone
--@include shared/keys
--@include rooms/occupants

local ttl, now = tonumber(ARGV[1]), tonumber(ARGV[2])
local till = int(now + ttl)
local gone, touched = {}, {[base .. 'due'] = true}
for i = 3, #ARGV, 2 do
  local room, connection = ARGV[i], ARGV[i + 1]
  local element = is_alive(room, connection, now) and redis.call('HGET', base .. 'd:' .. room, 'k' .. connection)
  if element then
    local mine = member_key((parts(element)))
    redis.call('ZADD', base .. 'e:' .. room, till, connection)
    redis.call('ZADD', mine, till, connection .. '\0' .. room)
    for _, key in ipairs({base .. 'l:' .. room, base .. 'e:' .. room, base .. 'd:' .. room, mine}) do
      touched[key] = true
    end
  else
    gone[#gone + 1] = (i - 3) / 2
  end
end
for key in pairs(touched) do keep(key, ttl) end
return gone
