-- Appends a message: stores it, delivers it and remembers the request id, all or nothing.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  parameters, JSON: id from type th req ts exp now everyone to memo{key fp until} max_inbox max_pending
--          max_messages epoch channel namespace
-- ARGV[2]  the message, opaque
-- ARGV[3]  the subject in lower case
--
-- Returns  {'stored', offset, epoch, deliveries, 1 where the namespace is to be noted}
--          {'replayed', id} {'memo_mismatch'} {'duplicate_id'} {'inbox_full', name} {'namespace_full'}
--@include shared/keys
--@include mail/memo
--@include mail/messages
--@include mail/deliveries

local p = cjson.decode(ARGV[1])

local known = p.memo and recall(p.memo.key, p.memo.fp, p.now)
if known then return known end

local alive, dead = find_alive(p.id, p.now)
if alive then return {'duplicate_id'} end

local function full(names)
  for _, name in ipairs(names) do
    if redis.call('ZCARD', base .. 'pend:' .. name) >= p.max_pending then return name end
  end
end

if dead then delete_message(dead) end
delete_expired(p.now, 16, 200)
local names = recipients_of(p)
-- What has expired waits for nothing any more, but may still be counted.
if p.req and full(names) and delete_expired(p.now, 500, 2000) >= 0 and full(names) then
  wake(p.channel, p.namespace)
  return {'inbox_full', full(names)}
end
if not make_room(p.max_messages) then return {'namespace_full'} end

local epoch = epoch_of(p.epoch)
local off = store_message(p, ARGV[2], ARGV[3], names)
if p.memo then
  redis.call('HSET', base .. 'req:' .. p.memo.key, 'fp', p.memo.fp, 'id', p.id,
    'until', int(p.memo['until']))
  redis.call('PEXPIREAT', base .. 'req:' .. p.memo.key, int(p.memo['until']))
end
wake(p.channel, p.namespace)
return {'stored', off, epoch, #names, unnoted()}
