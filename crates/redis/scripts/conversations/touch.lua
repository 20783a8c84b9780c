-- Notes that a conversation was used.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded id
-- ARGV[2]  the present, in milliseconds
--
-- Returns  1 where it was there
--@include shared/keys
--@include conversations/records

local now = tonumber(ARGV[2])
local record = find_alive(ARGV[1], now)
if not record then return 0 end
keep(ARGV[1], record.up, end_after_use(record, now), now)
return 1
