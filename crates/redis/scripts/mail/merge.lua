-- Imports a message with its state: stores it, or adds what the stored one lacks.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  parameters, JSON: as of append without memo, and settled, dry_run,
--          receipts [{name, read (ms or 0), ack (index into ARGV, 0 for none)}]
-- ARGV[2]  the message, opaque
-- ARGV[3]  the subject in lower case
-- ARGV[4…] acknowledgements, opaque
--
-- Returns  {'created' | 'updated' | 'unchanged' | 'conflict', 1 where the namespace is to be noted}
--@include shared/keys
--@include mail/messages
--@include mail/deliveries

local p = cjson.decode(ARGV[1])
-- What has expired is not there, here as elsewhere.
if p.exp <= p.now then return {'unchanged', 0} end

local off, dead = find_alive(p.id, p.now)
local created = false

if off then
  if redis.call('HGET', message_key(off), 'doc') ~= ARGV[2] then return {'conflict', 0} end
else
  if p.dry_run then return {'created', 0} end
  if dead then delete_message(dead) end
  make_room(p.max_messages)
  epoch_of(p.epoch)
  off = store_message(p, ARGV[2], ARGV[3], recipients_of(p), true)
  created = true
end

local key = message_key(off)
local until_ms = horizon(p.exp, p.now)
local changed = false

if p.settled and redis.call('HGET', key, 'settled') == '0' then
  changed = true
  if not p.dry_run then
    redis.call('HSET', key, 'settled', '1')
    for _, field in ipairs(redis.call('HKEYS', key)) do
      if string.sub(field, 1, 2) == 'r:' then
        changed_inboxes[string.sub(field, 3)] = true
        redis.call('ZREM', base .. 'unread:' .. string.sub(field, 3), off)
        wait_no_more(string.sub(field, 3), off, until_ms)
      end
    end
  end
end

for _, receipt in ipairs(p.receipts) do
  local name, read = receipt.name, redis.call('HGET', key, 'r:' .. receipt.name)
  if not read and p.everyone then
    changed = true
    read = '0'
    if not p.dry_run then
      redis.call('HSET', key, 'r:' .. name, '0')
      redis.call('HINCRBY', key, 'n', 1)
      deliver(name, off, int(p.ts), p.req, redis.call('HGET', key, 'settled') == '1', until_ms)
    end
  end
  if read == '0' and receipt.read > 0 then
    changed = true
    if not p.dry_run then
      changed_inboxes[name] = true
      redis.call('HSET', key, 'r:' .. name, int(receipt.read))
      redis.call('HINCRBY', key, 'nr', 1)
      redis.call('ZREM', base .. 'unread:' .. name, off)
    end
  end
  if read and receipt.ack > 0 and redis.call('HEXISTS', key, 'a:' .. name) == 0 then
    changed = true
    if not p.dry_run then
      changed_inboxes[name] = true
      redis.call('HSET', key, 'a:' .. name, ARGV[receipt.ack])
      redis.call('HINCRBY', key, 'na', 1)
      wait_no_more(name, off, until_ms)
    end
  end
end

if not p.dry_run and (created or changed) then
  local touched = {}
  for name in pairs(changed_inboxes) do touched[#touched + 1] = name end
  for _, name in ipairs(touched) do trim_inbox(name, p.max_inbox) end
  refresh_pending(off, int(p.ts), until_ms)
  wake(p.channel, p.namespace)
end
if created then return {'created', unnoted()} end
return {changed and 'updated' or 'unchanged', 0}
