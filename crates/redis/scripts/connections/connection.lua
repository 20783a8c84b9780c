-- A connection: the hash meta with id, own (whose it is), details, node, ends, and for each way 'in' and 'out' the last
-- number <way>n and the bytes that wait <way>b; the lists in and out hold what waits.

-- What outlives its end, for clocks that differ.
local SLACK_MS = 300000

local function is_alive(now)
  local ends = redis.call('HGET', meta, 'ends')
  return ends and tonumber(ends) > now
end

local function keep_till_end(now)
  local left = int(math.max(tonumber(redis.call('HGET', meta, 'ends')) - now, 0) + SLACK_MS)
  for _, key in ipairs({meta, base .. 'in', base .. 'out'}) do redis.call('PEXPIRE', key, left) end
end

local function record()
  local r = redis.call('HMGET', meta, 'id', 'own', 'details', 'node')
  return r[1], r[2], r[3], r[4] or ''
end

local function remove()
  redis.call('DEL', meta, base .. 'in', base .. 'out')
end
