-- Appends messages, settles those of the turn that wait, replaces the workflow and ends the turn, all or nothing.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  parameters, JSON: id now pending expected fence settle ('done' or 'failed') release has_workflow
--          max_messages max_bytes memo{key fp until} channel wake; absent where not asked for
-- ARGV[2]  the state of the workflow, opaque, where has_workflow
-- ARGV[3…] the messages, opaque
--
-- Returns  {'stored', first, last, version, end in milliseconds or ''}
--          {'replayed', first, last, version, fence or ''} {'memo_mismatch'} {'not_found'} {'conflict', version}
--          {'turn_busy', until} {'turn_lost'} {'full_messages'} {'full_bytes'}
--@include shared/keys
--@include conversations/records
--@include conversations/requests

local p = cjson.decode(ARGV[1])
local record = find_alive(p.id, p.now)
if not record then return {'not_found'} end
if p.memo then
  local known = recall(p.memo, p.id, record, p.now)
  if known then return known end
end
if p.expected and p.expected ~= record.ver then return {'conflict', int(record.ver)} end
local running = record.tu > p.now
if running and not p.fence then return {'turn_busy', int(record.tu)} end
if p.fence and not (running and p.fence == record.f) then return {'turn_lost'} end

local count, bytes = #ARGV - 2, 0
for i = 3, #ARGV do bytes = bytes + string.len(ARGV[i]) end
if count > 0 then
  if record.n + count > p.max_messages then return {'full_messages'} end
  if record.by + bytes > p.max_bytes then return {'full_bytes'} end
end

local waiting = waiting_key(p.id)
-- Settled are those that waited before. The first write is one that Redis may refuse for want of memory: after any other
-- it refuses none.
local settled = p.settle and redis.call('ZRANGEBYSCORE', waiting, int(p.fence), int(p.fence)) or {}
local fence = p.fence and int(p.fence) or ''
for i = 3, #ARGV do
  local seq = int(record.n + i - 2)
  redis.call('XADD', log_key(p.id), seq .. '-0', 'd', ARGV[i], 'a', int(p.now), 'f', fence)
  if p.pending then redis.call('ZADD', waiting, fence, seq) end
end
local first, last, version = record.n + 1, record.n + count, record.ver + 1
redis.call('HSET', record_key(p.id), 'ver', int(version), 'n', int(last), 'by', int(record.by + bytes),
  'up', int(p.now))
if p.has_workflow then redis.call('HSET', record_key(p.id), 'wf', ARGV[2]) end
-- Without a fence no turn ran for the caller: it must not run for an earlier clock either.
if p.release or not p.fence then redis.call('HSET', record_key(p.id), 'tu', 0) end
for _, seq in ipairs(settled) do
  if p.settle == 'done' then redis.call('ZREM', waiting, seq) else redis.call('ZADD', waiting, 0, seq) end
end
local ends = end_after_use(record, p.now)
keep(p.id, int(p.now), ends, p.now)
if p.memo then
  remember(p.memo, p.now,
    {id = p.id, ep = record.ep, first = int(first), last = int(last), ver = int(version), f = fence})
end
wake(p)
return {'stored', int(first), int(last), int(version), ends and int(ends) or ''}
