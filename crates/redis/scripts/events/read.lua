-- Reads entries behind a place.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the life of the log that the place is of; empty where the oldest entry kept comes first
-- ARGV[2]  the place
-- ARGV[3]  entries at most
-- ARGV[4]  epoch of a new life
--
-- Returns  {epoch, '' 'trimmed' or 'new_epoch', the last place given, entries}
--@include shared/keys
--@include events/log

local said = info()
local epoch = epoch_of(said, ARGV[4])
local last = said and said['last-generated-id'] or '0-0'
local after, gap = '0-0', ''
if ARGV[1] ~= '' then
  if ARGV[1] ~= epoch then
    gap = 'new_epoch'
  elseif is_behind(ARGV[2], last) then
    -- The store has lost what was given, or the stream was made anew.
    gap = 'trimmed'
  elseif ARGV[2] ~= last and #redis.call('XRANGE', stream, ARGV[2], ARGV[2]) == 0 then
    -- What the place stands for is gone. Nothing behind it can be, where nothing was ever removed (known from Redis 7 on).
    if said['entries-added'] ~= said['length'] then gap = 'trimmed' end
  end
  if gap == '' then after = ARGV[2] end
end
local entries = {}
if said then entries = redis.call('XRANGE', stream, '(' .. after, '+', 'COUNT', ARGV[3]) end
return {epoch, gap, last, entries}
