-- Lists conversations, the one that changed last first. Ids that are in the index and nowhere else leave it.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  parameters, JSON: now status ('' for any) limit after_ms after_id max_bytes max_examined
--
-- Returns  {{summary, …}, next_ms or '', next_id or ''}
--@include shared/keys
--@include conversations/records

local STEP = 100
local p = cjson.decode(ARGV[1])
local idx = base .. 'idx'

-- Lua compares by the locale of the server.
local function less(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

local rank = p.after_ms and redis.call('ZCOUNT', idx, '(' .. int(p.after_ms), '+inf') or 0
local rows, gone, bytes, examined = {}, {}, 0, 0
local last_ms, last_id
local more = false
while not more do
  local entries = redis.call('ZREVRANGE', idx, rank, rank + STEP - 1, 'WITHSCORES')
  if #entries == 0 then break end
  for i = 1, #entries, 2 do
    local id, ms = entries[i], entries[i + 1]
    if not (p.after_ms and tonumber(ms) == p.after_ms and not less(id, p.after_id)) then
      if examined >= p.max_examined then more = true break end
      examined = examined + 1
      if redis.call('EXISTS', record_key(id)) == 0 then
        gone[#gone + 1] = id
      elseif find_alive(id, p.now) then
        local row = summary_of(id)
        if p.status == '' or row[2] == p.status then
          bytes = bytes + string.len(row[16])
          if #rows >= p.limit or (#rows > 0 and bytes > p.max_bytes) then more = true break end
          rows[#rows + 1] = row
        end
      end
      last_ms, last_id = ms, id
    end
  end
  rank = rank + STEP
end
for _, id in ipairs(gone) do
  redis.call('ZREM', idx, id)
  redis.call('ZREM', base .. 'exp', id)
end
if #gone > 0 then keep_index() end
if more and last_id then return {rows, int(tonumber(last_ms)), last_id} end
return {rows, '', ''}
