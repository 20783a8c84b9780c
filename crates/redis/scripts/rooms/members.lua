-- Who may be in a room, which arrives percent-encoded; members are opaque texts. A room has
--   n:<room>  sorted set, all scores 0: members, so that their order is that of their bytes
--   t:<room>  sorted set: members by their end, +inf without one
-- and the stream
--   left      sorted set: rooms by a time that is not behind the earliest end of a membership

-- What outlives its end, for clocks that differ.
local KEPT_MS = 300000

local function moment(score)
  return score == 'inf' and math.huge or tonumber(score)
end

local function is_member(room, member, now)
  local till = redis.call('ZSCORE', base .. 't:' .. room, member)
  return till and moment(till) > now and till
end

local function drop_member(room, member)
  redis.call('ZREM', base .. 'n:' .. room, member)
  redis.call('ZREM', base .. 't:' .. room, member)
end

-- A room with a member that has no end is kept without one, any other behind the last end.
local function keep_members(room, now)
  local last = redis.call('ZREVRANGE', base .. 't:' .. room, 0, 0, 'WITHSCORES')[2]
  if not last then return end
  for _, key in ipairs({base .. 'n:' .. room, base .. 't:' .. room}) do
    if last == 'inf' then
      redis.call('PERSIST', key)
    else
      redis.call('PEXPIRE', key, int(math.max(tonumber(last) - now, 0) + KEPT_MS))
    end
  end
end

-- Drops memberships that are over; how many.
local function drop_over(room, now, limit)
  local over = redis.call('ZRANGEBYSCORE', base .. 't:' .. room, '-inf', int(now), 'LIMIT', 0, limit)
  for _, member in ipairs(over) do drop_member(room, member) end
  return #over
end
