-- What every beginning asks and does.

-- Conversations that are removed to make room for one, at most.
local MAX_REMOVED_FOR_ROOM = 16

local function is_full(max)
  return redis.call('ZCARD', base .. 'idx') >= max
end

-- Makes room among what has expired, and among what is in the index and nowhere else.
local function make_room(now, max)
  if not is_full(max) then return true end
  local dead = redis.call('ZRANGEBYSCORE', base .. 'exp', '-inf', int(now), 'LIMIT', 0, MAX_REMOVED_FOR_ROOM)
  for _, id in ipairs(dead) do remove(id) end
  if not is_full(max) then return true end
  for _, id in ipairs(redis.call('ZRANGE', base .. 'idx', 0, MAX_REMOVED_FOR_ROOM - 1)) do
    if redis.call('EXISTS', record_key(id)) == 0 then remove(id) end
  end
  return not is_full(max)
end

-- Why a beginning is refused: nil where it is not, {'created'} where this very call has begun it before.
local function refuses(p)
  if p.memo then
    local m = remembered(p.memo, p.now)
    if m then
      if m.fp ~= p.memo.fp then return {'memo_mismatch'} end
      return {'replayed', m.id}
    end
  end
  local known = find_alive(p.id, p.now)
  if known then return {known.ep == p.epoch and 'created' or 'exists'} end
  -- Nothing is removed where nothing is: Redis refuses for want of memory only until a script has written.
  if redis.call('EXISTS', record_key(p.id), log_key(p.id), waiting_key(p.id)) > 0 then remove(p.id) end
  if not make_room(p.now, p.max) then return {'too_many'} end
  return nil
end

-- Writes the record, which Redis may refuse for want of memory; then `adopt` gives it the messages that it inherits.
local function begin(p, head, body, workflow, inherited, adopt)
  redis.call('HSET', record_key(p.id), 'st', p.status, 'ver', 1, 'n', int(inherited.n), 'by', int(inherited.by),
    'cr', int(p.now), 'up', int(p.now), 'mode', p.mode, 'ttl', int(p.ttl), 'pin', p.pinned and 1 or 0,
    'f', int(inherited.f), 'tu', 0, 'ep', p.epoch, 'head', head, 'body', body)
  if p.has_workflow then redis.call('HSET', record_key(p.id), 'wf', workflow) end
  if adopt then adopt() end
  keep(p.id, int(p.now), not p.pinned and p.now + p.ttl or nil, p.now)
  if p.memo then remember(p.memo, p.now, {id = p.id, ep = p.epoch}) end
  wake(p)
end
