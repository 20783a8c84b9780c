-- What consumer groups of a stream have not acknowledged.

-- The oldest place at or behind which some group lacks an event that the log has or will have, and that group; nothing
-- where there are no groups. What left the log while somebody held it holds nothing up.
local function oldest_unread(log)
  local from, behind
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local said = named(group)
    local ms, seq = parts(said['last-delivered-id'])
    local lacks = int(ms) .. '-' .. int(seq + 1)
    if said.pending > 0 and log.first then
      local waiting = redis.call('XPENDING', stream, said.name, log.first, '+', 1)[1]
      if waiting and before(waiting[1], lacks) then lacks = waiting[1] end
    end
    if not from or before(lacks, from) then from, behind = lacks, said.name end
  end
  return from, behind
end

-- The places of the events between two places, at most so many.
local function ids(from, to, count)
  local found = {}
  for i, entry in ipairs(redis.call('XRANGE', stream, from, to, 'COUNT', count)) do found[i] = entry[1] end
  return found
end

-- How many of these are gone from a stream that begins with `first` (all, where it is empty) and were not acknowledged by
-- some group.
local function gone(watched, first)
  local left, lacked, count = {}, {}, 0
  for _, id in ipairs(watched) do
    if not first or before(id, first) then left[#left + 1] = id end
  end
  if #left == 0 then return 0 end
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local said = named(group)
    for _, id in ipairs(left) do
      if before(said['last-delivered-id'], id) then lacked[id] = true end
    end
    if said.pending > 0 then
      for _, row in ipairs(redis.call('XPENDING', stream, said.name, left[1], left[#left], #left)) do
        lacked[row[1]] = true
      end
    end
  end
  for _, id in ipairs(left) do count = count + (lacked[id] and 1 or 0) end
  return count
end

local function first_id()
  local found = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)
  return found[1] and found[1][1]
end
