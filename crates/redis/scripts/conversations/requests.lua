-- What is remembered of requests: hash req:<key> with fp (fingerprint) id ep (which conversation of that id) first last
-- ver f (what an append wrote; first is '' where the conversation was begun) until.

local function remembered(memo, now)
  local m = redis.call('HMGET', base .. 'req:' .. memo.key, 'fp', 'id', 'ep', 'first', 'last', 'ver', 'f', 'until')
  if not m[1] or tonumber(m[8]) <= now then return nil end
  -- Appends to a conversation that is gone are forgotten with it; that it was begun is not.
  if m[4] ~= '' and redis.call('HGET', record_key(m[2]), 'ep') ~= m[3] then return nil end
  return {fp = m[1], id = m[2], first = m[4], last = m[5], ver = m[6], f = m[7]}
end

local function remember(memo, now, fields)
  local key = base .. 'req:' .. memo.key
  redis.call('HSET', key, 'fp', memo.fp, 'id', fields.id, 'ep', fields.ep, 'first', fields.first or '',
    'last', fields.last or '', 'ver', fields.ver or '', 'f', fields.f or '', 'until', int(memo['until']))
  redis.call('PEXPIREAT', key, int(memo['until']))
  redis.call('ZREMRANGEBYSCORE', base .. 'reqs', '-inf', int(now))
  redis.call('ZADD', base .. 'reqs', int(memo['until']), memo.key)
  local last = redis.call('ZREVRANGE', base .. 'reqs', 0, 0, 'WITHSCORES')
  redis.call('PEXPIREAT', base .. 'reqs', int(tonumber(last[2])))
end

-- What an append to this conversation wrote: nil, {'memo_mismatch'} or {'replayed', first, last, version, fence or ''}.
-- Messages that failed are no result.
local function recall(memo, id, record, now)
  local m = remembered(memo, now)
  if not m then return nil end
  if m.id ~= id or m.first == '' or m.fp ~= memo.fp then return {'memo_mismatch'} end
  local waits = redis.call('ZSCORE', waiting_key(id), m.first)
  local running = record.tu > now and record.f or -1
  if waits and tonumber(waits) ~= running then return nil end
  return {'replayed', m.first, m.last, m.ver, m.f}
end
