-- Lists documents of a collection, by the bytes of their keys.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  parameters, JSON: now limit max_bytes
-- ARGV[2]  the collection, and a slash
-- ARGV[3]  only names after this one, opaque; the same as ARGV[2] to begin
--
-- Returns  {{row, …}, 1 where there may be more, epoch, head}
--@include shared/keys
--@include documents/records

local STEP = 100
local p = cjson.decode(ARGV[1])
local rows, bytes, more = {}, 0, 0
-- A zero follows a slash in the order of bytes.
local from, to = '(' .. ARGV[3], '(' .. string.sub(ARGV[2], 1, -2) .. '0'
while more == 0 do
  local found = redis.call('ZRANGEBYLEX', names, from, to, 'LIMIT', 0, STEP)
  if #found == 0 then break end
  for _, name in ipairs(found) do
    if current(name, p.now) ~= 0 then
      local row = row_of(name)
      bytes = bytes + string.len(row[3])
      if #rows >= p.limit or (#rows > 0 and bytes > p.max_bytes) then more = 1 break end
      rows[#rows + 1] = row
    end
  end
  from = '(' .. found[#found]
end
local epoch, head = position()
return {rows, more, epoch, int(head)}
