-- Writing changes under one revision, and keeping the bounds of what is remembered of them.

-- Drops a revision that is not the current one of a document.
local function drop_revision(name, revision)
  local texts, field = texts_key(name), int(revision)
  local bytes = redis.call('HSTRLEN', texts, field .. 'b')
  local seal = redis.call('HGET', texts, field .. 's')
  if seal and seal ~= '' and redis.call('HINCRBY', seals, seal, -1) <= 0 then redis.call('HDEL', seals, seal) end
  redis.call('HDEL', texts, field .. 'b', field .. 's', field .. 'd', field .. 'k', field .. 'a', field .. 'y')
  redis.call('ZREM', history_key(name), field)
  redis.call('ZREM', age, field .. '/' .. name)
  redis.call('HINCRBY', record_key(name), 'h', int(0 - bytes))
  if redis.call('EXISTS', history_key(name)) == 0 then
    redis.call('DEL', record_key(name))
    redis.call('ZREM', gone, name)
  end
end

local function trim_history(name, p)
  local key = history_key(name)
  local count = redis.call('ZCARD', key)
  while count > 1 do
    local bytes = tonumber(redis.call('HGET', record_key(name), 'h'))
    if count <= p.max_revisions and bytes <= p.max_history_bytes then return end
    drop_revision(name, tonumber(redis.call('ZRANGE', key, 0, 0)[1]))
    count = count - 1
  end
end

-- Writes one change: kind, the text or nil, the key of its seal, the end or '', the diff.
local function write(name, revision, place, change, p, by)
  local record, texts, r = record_key(name), texts_key(name), int(revision)
  local before = redis.call('HGET', record, 'r')
  if before and redis.call('ZSCORE', names, name) then redis.call('ZADD', age, before, before .. '/' .. name) end
  redis.call('HSET', texts, r .. 's', change.seal, r .. 'd', change.diff, r .. 'k', change.kind, r .. 'a', int(p.now), r .. 'y', by)
  redis.call('HSET', record, 'r', r, 'e', change.ends)
  redis.call('HINCRBY', record, 'h', change.text and string.len(change.text) or 0)
  redis.call('ZADD', history_key(name), r, r)
  redis.call('ZREM', ends, name)
  if change.text then
    redis.call('HSET', texts, r .. 'b', change.text)
    redis.call('ZADD', names, 0, name)
    redis.call('ZREM', gone, name)
    if change.seal ~= '' then redis.call('HINCRBY', seals, change.seal, 1) end
    if change.ends ~= '' then redis.call('ZADD', ends, change.ends, name) end
  else
    redis.call('ZREM', names, name)
    redis.call('ZADD', gone, r, name)
    redis.call('ZADD', age, r, r .. '/' .. name)
  end
  redis.call('XADD', log, r .. '-' .. place, 'n', name, 'k', change.kind, 'a', int(p.now), 'b', by)
  trim_history(name, p)
end

-- The next revision of the namespace.
local function next_revision(head, p)
  return math.max(head + 1, p.now * 1000)
end

-- After the changes: the head, the bounds of the log and of what is gone, and the wake-up.
local function finish(revision, p)
  redis.call('HSET', meta, 'head', int(revision))
  local surplus = redis.call('XLEN', log) - p.max_log
  if surplus > 0 then
    local out = redis.call('XRANGE', log, '-', '+', 'COUNT', int(surplus))
    local last = out[#out][1]
    redis.call('HSET', meta, 'horizon', string.match(last, '^(%d+)'))
    redis.call('XTRIM', log, 'MAXLEN', p.max_log)
  end
  local forgotten = redis.call('ZCARD', gone) - p.max_documents
  if forgotten > 0 then
    for _, name in ipairs(redis.call('ZRANGE', gone, 0, int(forgotten - 1))) do
      for _, old in ipairs(redis.call('ZRANGE', history_key(name), 0, -1)) do drop_revision(name, tonumber(old)) end
    end
  end
  redis.call('PUBLISH', p.channel, p.wake)
end
