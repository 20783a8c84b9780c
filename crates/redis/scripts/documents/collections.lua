-- Lists the collections that have documents.
--
-- KEYS[1]  <base>meta
--
-- Returns  their names
--@include shared/keys
--@include documents/records

local found, from = {}, '-'
while true do
  local name = redis.call('ZRANGEBYLEX', names, from, '+', 'LIMIT', 0, 1)[1]
  if not name then return found end
  local collection = string.match(name, '^([^/]*)/')
  found[#found + 1] = collection
  from = '[' .. collection .. '0'
end
