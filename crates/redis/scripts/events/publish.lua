-- Adds events behind the last one, remembers their ids, and trims what exceeds the bounds.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  parameters, JSON: epoch (of a new life) max_len min_ms (0: no age) dedupe_ms refuse (true: never trim what a
--          group has not read) channel namespace stream
-- ARGV[2…] for each event: its encoded id, then event_id event_type timestamp room_id payload, opaque, and metadata,
--          opaque, or empty
--
-- Returns  {'published', epoch, events trimmed that a group had not acknowledged, place, 1 where repeated, …} or
--          {'backlog', group}
--@include shared/keys
--@include events/log

local p = cjson.decode(ARGV[1])
local said = info()
local epoch = epoch_of(said, p.epoch)

local fresh, seen = 0, {}
for i = 2, #ARGV, 7 do
  local key = ARGV[i]
  if not seen[key] and redis.call('EXISTS', base .. 'id:' .. key) == 0 then fresh = fresh + 1 end
  seen[key] = true
end

-- From which place on each group has something left to do.
local groups = {}
if said and tonumber(said['groups']) > 0 then
  for _, flat in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local group = {}
    for i = 1, #flat, 2 do group[flat[i]] = flat[i + 1] end
    local held = redis.call('XPENDING', stream, group['name'])
    groups[#groups + 1] = { name = group['name'], delivered = group['last-delivered-id'], held = held[2] }
  end
end

local function has_read(group, place)
  if group.held and not is_behind(group.held, place) then return false end
  return not is_behind(place, group.delivered)
end

-- The oldest entries that do not fit behind so many new ones; a thousand at most in one step.
local function surplus(added)
  local length = said and tonumber(said['length']) or 0
  local count = math.min(length + added - p.max_len, 1000)
  if count <= 0 then return {} end
  return redis.call('XRANGE', stream, '-', '+', 'COUNT', int(count))
end

local unread = 0
if #groups > 0 and fresh > 0 then
  for _, entry in ipairs(surplus(fresh)) do
    for _, group in ipairs(groups) do
      if not has_read(group, entry[1]) then
        if p.refuse then return {'backlog', group.name} end
        unread = unread + 1
        break
      end
    end
  end
end

local answer = {'published', epoch, unread}
for i = 2, #ARGV, 7 do
  local key = base .. 'id:' .. ARGV[i]
  local place = redis.call('GET', key)
  if place then
    answer[#answer + 1] = place
    answer[#answer + 1] = 1
  else
    local fields = {
      'event_id', ARGV[i + 1], 'event_type', ARGV[i + 2], 'timestamp', ARGV[i + 3], 'room_id', ARGV[i + 4],
      'payload', ARGV[i + 5],
    }
    if ARGV[i + 6] ~= '' then
      fields[#fields + 1] = 'metadata'
      fields[#fields + 1] = ARGV[i + 6]
    end
    place = redis.call('XADD', stream, '*', unpack(fields))
    redis.call('SET', key, place, 'PX', p.dedupe_ms)
    answer[#answer + 1] = place
    answer[#answer + 1] = 0
  end
end
if fresh > 0 then
  -- Whole nodes of the stream are cheap to drop; entry by entry only where groups are to be told the truth.
  local manner = #groups > 0 and '=' or '~'
  redis.call('XTRIM', stream, 'MAXLEN', manner, p.max_len)
  if p.min_ms > 0 then redis.call('XTRIM', stream, 'MINID', '~', int(p.min_ms)) end
  redis.call('HSET', meta, 'seen', '1')
  redis.call('PUBLISH', p.channel, 'e ' .. p.namespace .. ' ' .. p.stream)
end
return answer
