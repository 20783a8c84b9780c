-- What a log holds.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  epoch of a new life
--
-- Returns  {epoch, the last place given, the oldest place kept or empty, entries}
--@include shared/keys
--@include events/log

local said = info()
local epoch = epoch_of(said, ARGV[1])
if not said then return {epoch, '0-0', '', 0} end
local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)
return {epoch, said['last-generated-id'], first[1] and first[1][1] or '', said['length']}
