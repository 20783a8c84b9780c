-- Reads entries of a chain in order.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  1 for ascending, 0 for descending
-- ARGV[2]  entries behind this number, or before it where descending
-- ARGV[3]  entries at most
-- ARGV[4]  bytes at most; the first entry is returned whatever its size
--
-- Returns  {seq, hash, body, …}
--@include shared/keys
--@include audit/chain

local found
if ARGV[1] == '1' then
  found = redis.call('XRANGE', log, '(' .. ARGV[2] .. '-0', '+', 'COUNT', ARGV[3])
else
  found = redis.call('XREVRANGE', log, '(' .. ARGV[2] .. '-0', '-', 'COUNT', ARGV[3])
end
local rows, bytes = {}, 0
for _, entry in ipairs(found) do
  local fields = {}
  for i = 1, #entry[2], 2 do fields[entry[2][i]] = entry[2][i + 1] end
  bytes = bytes + string.len(fields.b or '')
  if #rows > 0 and bytes > tonumber(ARGV[4]) then break end
  rows[#rows + 1] = entry[1]
  rows[#rows + 1] = fields.h or ''
  rows[#rows + 1] = fields.b or ''
end
return rows
