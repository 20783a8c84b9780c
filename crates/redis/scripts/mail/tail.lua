-- Reads one inbox in the order of arrival.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  parameters, JSON: recipient after unread_only type sender limit now max_bytes max_examined epoch
--
-- Returns  {epoch, {row, …}, position, 1 where more follows, dropped or '', 1 where it is a member}
--@include shared/keys
--@include mail/messages
--@include mail/rows

local STEP = 200
local p = cjson.decode(ARGV[1])
local key = base .. (p.unread_only and 'unread:' or 'log:') .. p.recipient
local rows, bytes, examined = {}, 0, 0
local position, more = p.after, false
local rank = redis.call('ZCOUNT', key, '-inf', tonumber(p.after))

while p.limit > 0 and not more do
  local entries = redis.call('ZRANGE', key, rank, rank + STEP - 1)
  if #entries == 0 then break end
  for _, off in ipairs(entries) do
    if examined >= p.max_examined then more = true break end
    examined = examined + 1
    local f = redis.call('HMGET', message_key(off), 'exp', 'type', 'from')
    if f[1] and tonumber(f[1]) > p.now and (p.type == '' or f[2] == p.type)
      and (p.sender == '' or f[3] == p.sender) then
      if #rows >= p.limit then more = true break end
      local row = row_of(off, p.recipient, false)
      bytes = bytes + string.len(row[2])
      if #rows > 0 and bytes > p.max_bytes then more = true break end
      rows[#rows + 1] = row
    end
    position = off
    rank = rank + 1
  end
end

local epoch = epoch_of(p.epoch)
if not more then
  local last = redis.call('HGET', meta, 'last')
  if last and last > position then position = last end
end
return {epoch, rows, position, more and 1 or 0, redis.call('HGET', base .. 'dropped', p.recipient) or '',
  redis.call('ZSCORE', base .. 'members', p.recipient) and 1 or 0}
