-- Adds events behind the last one, remembers their ids, and trims what exceeds the bounds. Ids belong to one life of the
-- log: where the stream was deleted, its events are gone, and may be published again.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  parameters, JSON: epoch (of a new life) max_len min_ms (0: no age) dedupe_ms refuse (true: never trim what a
--          group has not read) max_counted channel namespace stream
-- ARGV[2…] for each event: its encoded id, then event_id event_type timestamp room_id payload, opaque, and metadata,
--          opaque, or empty
--
-- Returns  {'published', epoch, events trimmed that a group had not acknowledged, place, 1 where repeated, …} or
--          {'backlog', group}
--@include shared/keys
--@include events/log
--@include events/unread

local WIDTH = 7
local p = cjson.decode(ARGV[1])
local log = look(p.epoch)
local id_base = base .. 'id:' .. log.epoch .. ':'

local places, fresh = {}, 0
for i = 2, #ARGV, WIDTH do
  local key = ARGV[i]
  if places[key] == nil then
    places[key] = redis.call('GET', id_base .. key)
    if not places[key] then fresh = fresh + 1 end
  end
end

-- Where groups are behind, entries go one by one, so that they are told the truth; else whole nodes go, which is cheap.
local unread, behind
if fresh > 0 and log.groups > 0 then unread, behind = oldest_unread(log) end
local surplus = math.max(log.length + fresh - p.max_len, 0)
local keep = p.max_len
if p.refuse and unread and surplus > 0 then
  -- What goes is among the oldest, or, where all of these go, among the new, which nobody has read.
  local checked = ids('-', '+', math.min(surplus, p.max_counted))
  local last = checked[#checked]
  if not last or not before(last, unread) or (#checked < surplus and #checked < p.max_counted) then
    return {'backlog', behind}
  end
  keep = log.length + fresh - #checked
end
local bound = p.min_ms > 0 and int(p.min_ms) .. '-0'
if p.refuse and unread and bound and before(unread, bound) then bound = unread end
local watched = {}
if unread and not p.refuse then
  if surplus > 0 then watched = ids(unread, '+', math.min(surplus, p.max_counted)) end
  local aged = bound and ids(unread, '(' .. bound, p.max_counted) or {}
  if #aged > #watched then watched = aged end
end

local answer = {'published', log.epoch, 0}
for i = 2, #ARGV, WIDTH do
  local key = ARGV[i]
  local repeated = places[key] and 1 or 0
  if not places[key] then
    local fields = {
      'event_id', ARGV[i + 1], 'event_type', ARGV[i + 2], 'timestamp', ARGV[i + 3], 'room_id', ARGV[i + 4],
      'payload', ARGV[i + 5],
    }
    if ARGV[i + 6] ~= '' then
      fields[#fields + 1] = 'metadata'
      fields[#fields + 1] = ARGV[i + 6]
    end
    places[key] = redis.call('XADD', stream, '*', unpack(fields))
    redis.call('SET', id_base .. key, places[key], 'PX', p.dedupe_ms)
    log.last = places[key]
    log.first = log.first or log.last
  end
  answer[#answer + 1] = places[key]
  answer[#answer + 1] = repeated
end
if fresh > 0 then
  log.length = log.length + fresh
  if log.added then
    log.added = log.added + fresh
  elseif not log.there then
    log.added = stand().added
  end
  local manner = unread and '=' or '~'
  if surplus > 0 then redis.call('XTRIM', stream, 'MAXLEN', manner, int(keep)) end
  if bound then redis.call('XTRIM', stream, 'MINID', manner, bound) end
  if #watched > 0 then answer[3] = gone(watched, first_id()) end
  note(log)
  redis.call('PUBLISH', p.channel, 'e ' .. p.namespace .. ' ' .. p.stream)
end
return answer
