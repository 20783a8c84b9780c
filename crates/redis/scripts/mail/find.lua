-- Reads one message with every receipt.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded id
-- ARGV[2]  the encoded viewer, or empty
-- ARGV[3]  the present, in milliseconds
-- ARGV[4]  an epoch, should the namespace have none
--
-- Returns  {} or {epoch, row}
--@include shared/keys
--@include mail/messages
--@include mail/rows

local off = find_alive(ARGV[1], tonumber(ARGV[3]))
if not off then return {} end
return {epoch_of(ARGV[4]), row_of(off, ARGV[2], true)}
