-- What consumer groups of a stream have not acknowledged.

-- The oldest place at or behind which some group lacks an event, and that group; nothing where there are no groups.
local function oldest_unread()
  local from, behind
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local said = {}
    for i = 1, #group, 2 do said[group[i]] = group[i + 1] end
    local ms, seq = parts(said['last-delivered-id'])
    local lacks = int(ms) .. '-' .. int(seq + 1)
    if said.pending > 0 then
      local waiting = redis.call('XPENDING', stream, said.name)
      if waiting[2] and before(waiting[2], lacks) then lacks = waiting[2] end
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

-- How many of these are gone from a stream that begins with `first`; all, where it is empty.
local function gone(watched, first)
  local count = 0
  for _, id in ipairs(watched) do
    if not first or before(id, first) then count = count + 1 end
  end
  return count
end

local function first_id()
  local found = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)
  return found[1] and found[1][1]
end
