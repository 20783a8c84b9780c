-- Reads messages, oldest first.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded id
-- ARGV[2]  the present, in milliseconds
-- ARGV[3]  1 to read backwards
-- ARGV[4]  where to begin: a place in the stream, included
-- ARGV[5]  messages at most
-- ARGV[6]  bytes at most, but for one message
--
-- Returns  {} or {summary, {{seq, at, fence or '', the fence that it waits for or nil, document}, …}, 1 where there are more}
--@include shared/keys
--@include conversations/records

-- Few at a time: a message may be large.
local STEP = 32
local id, limit, max_bytes = ARGV[1], tonumber(ARGV[5]), tonumber(ARGV[6])
if not find_alive(id, tonumber(ARGV[2])) then return {} end

local found, bytes, more = {}, 0, 0
local from = ARGV[4]
while more == 0 do
  local count = math.min(STEP, limit + 1 - #found)
  local entries
  if ARGV[3] == '1' then
    entries = redis.call('XREVRANGE', log_key(id), from, '-', 'COUNT', count)
  else
    entries = redis.call('XRANGE', log_key(id), from, '+', 'COUNT', count)
  end
  for _, entry in ipairs(entries) do
    bytes = bytes + string.len(entry[2][2])
    if #found >= limit or (#found > 0 and bytes > max_bytes) then more = 1 break end
    found[#found + 1] = entry
  end
  if #entries < count then break end
  from = '(' .. entries[#entries][1]
end

local rows, back = {}, ARGV[3] == '1'
for i = 1, #found do
  local entry = found[back and #found + 1 - i or i]
  local seq = string.match(entry[1], '^%d+')
  rows[i] = {seq, entry[2][4], entry[2][6], redis.call('ZSCORE', waiting_key(id), seq), entry[2][2]}
end
return {summary_of(id), rows, more}
