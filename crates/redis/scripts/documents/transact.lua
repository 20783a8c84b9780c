-- Makes changes of documents under one revision, or none. Settings stay until they are replaced; only what is
-- remembered of a request has an expiry.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  parameters, JSON: now epoch max_documents max_revisions max_history_bytes max_log memo{key fp until} channel wake
--          guards[revision] changes[{delete, expected, ends, seal}]
-- ARGV[2]  who makes them, opaque
-- ARGV[3…] the name of each guard, opaque; then the name, the text ('' where it is deleted) and the diff of each change, opaque
--
-- Returns  {'committed' 'replayed', revision, epoch, 1 where the namespace is noted} {'memo_mismatch'}
--          {'conflict', revision, name} {'full'}
--@include shared/keys
--@include documents/records
--@include documents/committing

local p = cjson.decode(ARGV[1])
local epoch, head = position()
local request = p.memo and base .. 'q:' .. p.memo.key
if request then
  local f = redis.call('HMGET', request, 'fp', 'rev', 'until')
  if f[1] and tonumber(f[3]) > p.now then
    if f[1] ~= p.memo.fp then return {'memo_mismatch'} end
    return {'replayed', f[2], epoch, '1'}
  end
end
local at = 3
for _, expected in ipairs(p.guards) do
  local found = current(ARGV[at], p.now)
  if found ~= expected then return {'conflict', int(found), ARGV[at]} end
  at = at + 1
end
local first, made, removed = at, 0, 0
for i, change in ipairs(p.changes) do
  local name = ARGV[first + (i - 1) * 3]
  local found, stored = current(name, p.now)
  if (change.expected and change.expected ~= found) or (change.delete and found == 0) then
    return {'conflict', int(found), name}
  end
  if change.delete and stored then removed = removed + 1 end
  if not change.delete and not stored then made = made + 1 end
end
if made > removed and redis.call('ZCARD', names) + made - removed > p.max_documents then return {'full'} end
if epoch == '' then
  epoch = p.epoch
  redis.call('HSET', meta, 'epoch', epoch)
end
local revision = next_revision(head, p)
for i, change in ipairs(p.changes) do
  local from = first + (i - 1) * 3
  write(ARGV[from], revision, i, {
    kind = change.delete and 'deleted' or 'put', text = not change.delete and ARGV[from + 1] or nil,
    seal = change.seal, ends = change.ends and int(change.ends) or '', diff = ARGV[from + 2],
  }, p, ARGV[2])
end
finish(revision, p)
if request then
  redis.call('HSET', request, 'fp', p.memo.fp, 'rev', int(revision), 'until', int(p.memo['until']))
  redis.call('PEXPIREAT', request, int(p.memo['until']))
end
return {'committed', int(revision), epoch, int(redis.call('HEXISTS', meta, 'noted'))}
