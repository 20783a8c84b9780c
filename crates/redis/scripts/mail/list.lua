-- Lists messages by time, then offset.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  parameters, JSON: recipient sender type thread pending since until after_ts after_off oldest_first limit
--          viewer receipts now max_bytes max_examined epoch (names encoded, '' for none; times in milliseconds)
-- ARGV[2]  text that subjects contain, lower case, or empty
--
-- Returns  {epoch, {row, …}, next_ts or '', next_off or ''}
--@include shared/keys
--@include mail/messages
--@include mail/rows

local STEP = 200
local p = cjson.decode(ARGV[1])
local text = ARGV[2]

-- The narrowest index that holds every answer, and the filters that it leaves to check.
local key, check = 'timeline', {}
if p.recipient ~= '' and p.recipient ~= 'all' then
  key = (p.pending and 'pend:' or 'in:') .. p.recipient
  check.sender, check.thread = p.sender ~= '', p.thread ~= ''
elseif p.pending then
  key = 'pending'
  check.broadcast = p.recipient == 'all'
  check.sender, check.thread = p.sender ~= '', p.thread ~= ''
elseif p.recipient == 'all' then
  key = 'in:all'
  check.sender, check.thread = p.sender ~= '', p.thread ~= ''
elseif p.thread ~= '' then
  key = 'thread:' .. p.thread
  check.sender = p.sender ~= ''
elseif p.sender ~= '' then
  key = 'sent:' .. p.sender
end
key = base .. key

local function matches(off)
  local f = redis.call('HMGET', message_key(off), 'exp', 'type', 'from', 'th', 'bc')
  if not f[1] or tonumber(f[1]) <= p.now then return false end
  if p.type ~= '' and f[2] ~= p.type then return false end
  if check.sender and f[3] ~= p.sender then return false end
  if check.thread and f[4] ~= p.thread then return false end
  if check.broadcast and f[5] ~= '1' then return false end
  if text ~= '' then
    local subject = redis.call('HGET', message_key(off), 'subj')
    if not string.find(subject, text, 1, true) then return false end
  end
  return true
end

-- The rank of the first entry, in the direction of the listing. Scores may tie; members break the tie.
local low = p.since and int(p.since) or '-inf'
local high = p['until'] and '(' .. int(p['until']) or '+inf'
local rank
if p.oldest_first then
  rank = redis.call('ZCOUNT', key, '-inf', p.since and '(' .. low or '(-inf')
  if p.after_ts then rank = math.max(rank, redis.call('ZCOUNT', key, '-inf', '(' .. int(p.after_ts))) end
else
  rank = p['until'] and redis.call('ZCOUNT', key, int(p['until']), '+inf') or 0
  if p.after_ts then rank = math.max(rank, redis.call('ZCOUNT', key, '(' .. int(p.after_ts), '+inf')) end
end
local total = redis.call('ZCOUNT', key, low, high)
local outside = p.oldest_first and redis.call('ZCOUNT', key, '-inf', p.since and '(' .. low or '(-inf')
  or (p['until'] and redis.call('ZCOUNT', key, int(p['until']), '+inf') or 0)
local stop = outside + total

local rows, bytes, examined = {}, 0, 0
local last_ts, last_off
local more = false
while rank < stop and not more do
  local upto = math.min(rank + STEP, stop) - 1
  local entries = redis.call(p.oldest_first and 'ZRANGE' or 'ZREVRANGE', key, rank, upto, 'WITHSCORES')
  if #entries == 0 then break end
  for i = 1, #entries, 2 do
    local off, ts = entries[i], tonumber(entries[i + 1])
    local seen = p.after_ts and ts == p.after_ts
      and ((p.oldest_first and off <= p.after_off) or (not p.oldest_first and off >= p.after_off))
    if not seen then
      if examined >= p.max_examined then more = true break end
      examined = examined + 1
      if matches(off) then
        if #rows >= p.limit then more = true break end
        local row = row_of(off, p.viewer, p.receipts)
        bytes = bytes + string.len(row[2])
        if #rows > 0 and bytes > p.max_bytes then more = true break end
        rows[#rows + 1] = row
      end
      last_ts, last_off = ts, off
    end
    rank = rank + 1
  end
end

local epoch = epoch_of(p.epoch)
if more and last_ts then return {epoch, rows, int(last_ts), last_off} end
return {epoch, rows, '', ''}
