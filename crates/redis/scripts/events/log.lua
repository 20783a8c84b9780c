-- A log is the stream that the hash tag of KEYS[1] names: whoever knows its name may add to it, trim or delete it. What
-- we keep of it stands beside it in the hash `meta`: `epoch`, the life of the log; `last`, its last place, and `added`,
-- how many events were ever added, as we saw them last; `oldest`, the first event that we saw.
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

-- The log as it stands: last, length, first, groups; removed, whether anything was ever removed from it. Redis before 7
-- does not count what was added: there it is removed where the first event is not the one that we saw first.
local function stand()
  local log = {last = '0-0', length = 0, groups = 0}
  if redis.call('EXISTS', stream) == 0 then return log end
  local info = redis.call('XINFO', 'STREAM', stream)
  local said = {}
  for i = 1, #info, 2 do said[info[i]] = info[i + 1] end
  log.there = true
  log.last, log.length, log.groups = said['last-generated-id'], said.length, said.groups
  log.first = said['first-entry'] and said['first-entry'][1]
  log.added = said['entries-added']
  return log
end

-- Keeps what is known of a log. Where memory is short this fails, and the next one to look keeps it.
local function note(log)
  if log.seen_last == log.last and log.seen_added == log.added and log.oldest then return end
  -- A stream that is empty though it had events began before any that comes.
  log.oldest = log.oldest or log.first or (log.last ~= '0-0' and '0-0')
  local fields = {'last', log.last}
  if log.added then fields[3], fields[4] = 'added', int(log.added) end
  if log.oldest then fields[#fields + 1], fields[#fields + 2] = 'oldest', log.oldest end
  redis.pcall('HSET', meta, unpack(fields))
end

-- Looks at a log, and gives it a new life where it has none: where it is new, or was deleted or emptied of its past.
local function look(new_epoch)
  local log = stand()
  local kept = redis.call('HMGET', meta, 'epoch', 'last', 'added', 'oldest')
  local lost = kept[2] and before(log.last, kept[2])
    or kept[3] and log.added
      and (log.added < tonumber(kept[3]) or log.added == tonumber(kept[3]) and log.last ~= kept[2])
  if kept[1] and not lost then
    log.epoch, log.seen_last, log.seen_added, log.oldest = kept[1], kept[2], tonumber(kept[3]), kept[4]
  else
    redis.call('DEL', meta)
    redis.call('HSET', meta, 'epoch', new_epoch)
    log.epoch = new_epoch
  end
  note(log)
  if log.length == 0 then
    log.removed = log.last ~= '0-0'
  else
    log.removed = (log.added and log.added > log.length) or (log.oldest and log.oldest ~= log.first) or false
  end
  return log
end
