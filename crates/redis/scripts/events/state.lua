-- What a log holds, and where it ends.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  an epoch for a log that has none
--
-- Returns  {epoch, last place, oldest event or '', how many}
--@include shared/keys
--@include events/log

local log = look(ARGV[1])
return {log.epoch, log.last, log.first or '', log.length}
