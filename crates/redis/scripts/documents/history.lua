-- Reads revisions of a document, the newest first.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  only revisions before this one, or empty
-- ARGV[2]  most revisions
-- ARGV[3]  most bytes of texts, where there is more than one
-- ARGV[4]  the name of the document, opaque
--
-- Returns  {{revision, kind, text or '', key of the seal, diff, time, author}, …}
--@include shared/keys
--@include documents/records

local name, rows, bytes = ARGV[4], {}, 0
local from = ARGV[1] == '' and '+inf' or '(' .. ARGV[1]
for _, r in ipairs(redis.call('ZREVRANGEBYSCORE', history_key(name), from, '-inf', 'LIMIT', 0, ARGV[2])) do
  local f = redis.call('HMGET', texts_key(name), r .. 'k', r .. 'b', r .. 's', r .. 'd', r .. 'a', r .. 'y')
  bytes = bytes + string.len(f[2] or '')
  if #rows > 0 and bytes > tonumber(ARGV[3]) then break end
  rows[#rows + 1] = {r, f[1], f[2] or '', f[3], f[4], f[5], f[6]}
end
return rows
