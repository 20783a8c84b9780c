-- Deletes a conversation with its messages.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded id
-- ARGV[2]  the present, in milliseconds
-- ARGV[3]  channel of the wake-ups
-- ARGV[4]  the wake-up
--
-- Returns  1 where it was there
--@include shared/keys
--@include conversations/records

local alive = find_alive(ARGV[1], tonumber(ARGV[2]))
remove(ARGV[1])
keep_index()
if not alive then return 0 end
wake({channel = ARGV[3], wake = ARGV[4]})
return 1
