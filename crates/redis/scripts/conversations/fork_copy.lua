-- Copies a part of the messages of a conversation to where nobody sees them. Goes on where the last part ended, so that
-- doing it twice is doing it once. What is never published goes by itself.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded id to copy from
-- ARGV[2]  the present, in milliseconds
-- ARGV[3]  the name of the copy
-- ARGV[4]  the last message to copy
-- ARGV[5]  bytes at most, but for one message
--
-- Returns  {'more'} {'done'} {'no_source'}
--@include shared/keys
--@include conversations/records

local STEP = 32
local MAX_MESSAGES = 500
local ABANDONED_MS = 120000
local source, name = ARGV[1], ARGV[3]
local up_to, max_bytes = tonumber(ARGV[4]), tonumber(ARGV[5])
local record = find_alive(source, tonumber(ARGV[2]))
if not record or record.n < up_to then return {'no_source'} end

local copy, log, waiting = base .. 's:' .. name, base .. 'sm:' .. name, base .. 'sp:' .. name
local before = redis.call('HMGET', copy, 'last', 'ep')
local last = tonumber(before[1] or '0')
-- Another conversation of the same id may have begun meanwhile.
if before[2] and before[2] ~= record.ep then return {'no_source'} end

local copied, bytes = 0, 0
while last < up_to and copied < MAX_MESSAGES and bytes < max_bytes do
  local entries = redis.call('XRANGE', log_key(source), int(last + 1), int(up_to), 'COUNT', STEP)
  if #entries == 0 then last = up_to end
  for _, entry in ipairs(entries) do
    local seq = string.match(entry[1], '^%d+')
    redis.call('XADD', log, entry[1], unpack(entry[2]))
    if redis.call('ZSCORE', waiting_key(source), seq) then redis.call('ZADD', waiting, 0, seq) end
    last, copied, bytes = tonumber(seq), copied + 1, bytes + string.len(entry[2][2])
    if bytes >= max_bytes then break end
  end
end
redis.call('HSET', copy, 'last', int(last), 'ep', record.ep)
redis.call('HINCRBY', copy, 'by', bytes)
redis.call('HSET', copy, 'f', int(record.f))
for _, key in ipairs({copy, log, waiting}) do redis.call('PEXPIRE', key, ABANDONED_MS) end
return {last < up_to and 'more' or 'done'}
