-- A log is the stream that the hash tag of KEYS[1] names: whoever knows its name may add to it, trim or delete it. What
-- we keep of it stands beside it in the hash `meta`: `epoch`, the life of the log; `last`, its last place, and `added`,
-- how many events were ever added, as we saw them last (Redis before 7 does not count them); `floor` and `head`, a place
-- and the first event that ever followed it: while the log begins with `head`, nothing behind `floor` has left it.
local stream = string.match(KEYS[1], '{(.-)}:')

local function parts(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(seq)
end

-- Whether one place is before another.
local function before(a, b)
  local a_ms, a_seq = parts(a)
  local b_ms, b_seq = parts(b)
  return a_ms < b_ms or (a_ms == b_ms and a_seq < b_seq)
end

-- What XINFO says of one thing, by name.
local function named(row)
  local said = {}
  for i = 1, #row, 2 do said[row[i]] = row[i + 1] end
  return said
end

-- The log as it stands: there, last, length, first, groups, added.
local function stand()
  local log = {last = '0-0', length = 0, groups = 0}
  if redis.call('EXISTS', stream) == 0 then return log end
  local said = named(redis.call('XINFO', 'STREAM', stream))
  log.there = true
  log.last, log.length, log.groups = said['last-generated-id'], said.length, said.groups
  log.first = said['first-entry'] and said['first-entry'][1]
  log.added = said['entries-added']
  return log
end

-- Keeps what is known of a log. Where memory is short this fails, and the next one to look keeps it.
local function note(log)
  local kept = log.kept
  if log.length == 0 then
    log.floor, log.head = log.last, ''
  elseif log.head == '' then
    -- Where more was added than is there, somebody has removed what we never saw: no event is the head then.
    local whole = not log.added or log.added - (kept.added or 0) == log.length
    log.head = whole and log.first or '0-0'
  end
  if kept.last == log.last and kept.added == log.added and kept.floor == log.floor and kept.head == log.head then
    return
  end
  log.kept = {last = log.last, added = log.added, floor = log.floor, head = log.head}
  local fields = {'last', log.last, 'floor', log.floor, 'head', log.head}
  if log.added then fields[7], fields[8] = 'added', int(log.added) end
  redis.pcall('HSET', meta, unpack(fields))
end

-- Whether everything that ever stood behind a place is there.
local function is_whole_behind(log, place)
  if place == log.last then return true end
  if log.head == log.first and not before(place, log.floor) and before(place, log.head) then return true end
  return #redis.call('XRANGE', stream, place, place) == 1
end

-- Looks at a log, and gives it a new life where it has none: where it is new, or was deleted or emptied of its past.
local function look(new_epoch)
  local log = stand()
  local kept = redis.call('HMGET', meta, 'epoch', 'last', 'added', 'floor', 'head')
  local lost = kept[2] and before(log.last, kept[2])
    or kept[3] and log.added
      and (log.added < tonumber(kept[3]) or log.added == tonumber(kept[3]) and log.last ~= kept[2])
  if kept[1] and not lost then
    log.epoch = kept[1]
    log.kept = {last = kept[2], added = kept[3] and tonumber(kept[3]) or nil, floor = kept[4], head = kept[5]}
  else
    redis.call('DEL', meta)
    redis.call('HSET', meta, 'epoch', new_epoch)
    log.epoch, log.kept = new_epoch, {}
  end
  log.floor, log.head = log.kept.floor or '0-0', log.kept.head or ''
  note(log)
  return log
end
