-- Who is in the rooms of a stream. Rooms arrive percent-encoded; members and connections are opaque texts. A room has
--   l:<room>  sorted set, all scores 0: <member> NUL <arrival, 16 digits> NUL <connection>, so that its order is the listing's
--   e:<room>  sorted set: connections by their end
--   d:<room>  hash: 'k' .. connection to its element of l, 'i' .. connection to what it says of itself
-- and the stream
--   u:<member>  sorted set: <connection> NUL <room> by the end
--   due         sorted set: rooms by a time that is not behind their earliest end

-- What outlives its end, for clocks that differ, and how seldom that is prolonged.
local SLACK_MS, SPARE_MS = 300000, 150000
-- Connections that one step removes or examines at once.
local STEP = 1000

local function keep(key, ttl_ms)
  local left = redis.call('PTTL', key)
  if left ~= -2 and left < ttl_ms + SPARE_MS then redis.call('PEXPIRE', key, int(ttl_ms + SLACK_MS)) end
end

-- As the names in keys are encoded elsewhere.
local function encoded(text)
  return (string.gsub(text, '[^A-Za-z0-9%-_.]', function(c) return string.format('%%%02X', string.byte(c)) end))
end

local function member_key(member)
  return base .. 'u:' .. encoded(member)
end

local function is_alive(room, connection, now)
  local ends = redis.call('ZSCORE', base .. 'e:' .. room, connection)
  return ends and tonumber(ends) > now
end

-- The member, the arrival and the connection of an element.
local function parts(element)
  local first = string.find(element, '%z')
  return string.sub(element, 1, first - 1), string.sub(element, first + 1, first + 16), string.sub(element, first + 18)
end

-- Whether a member has a connection in a room.
local function holds(room, member, now)
  local from = '[' .. member .. '\0'
  while true do
    local found = redis.call('ZRANGEBYLEX', base .. 'l:' .. room, from, '(' .. member .. '\1', 'LIMIT', 0, STEP)
    for _, element in ipairs(found) do
      local _, _, connection = parts(element)
      if is_alive(room, connection, now) then return true end
    end
    if #found < STEP then return false end
    from = '(' .. found[#found]
  end
end

-- Takes a connection out of a room; its member, where it was there.
local function take_out(room, connection)
  local element = redis.call('HGET', base .. 'd:' .. room, 'k' .. connection)
  if not element then return nil end
  local member = parts(element)
  redis.call('ZREM', base .. 'l:' .. room, element)
  redis.call('ZREM', base .. 'e:' .. room, connection)
  redis.call('HDEL', base .. 'd:' .. room, 'k' .. connection, 'i' .. connection)
  redis.call('ZREM', member_key(member), connection .. '\0' .. room)
  return member
end

-- Takes out connections whose time has passed; how many.
local function shed(room, now, limit)
  local over = redis.call('ZRANGEBYSCORE', base .. 'e:' .. room, '-inf', int(now), 'LIMIT', 0, limit)
  for _, connection in ipairs(over) do take_out(room, connection) end
  return #over
end
