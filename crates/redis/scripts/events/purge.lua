-- Removes what was stored before a moment. Ids end by themselves.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the moment, in milliseconds
-- ARGV[2]  1 where what a group has not acknowledged stays
-- ARGV[3]  unread events counted at most
-- ARGV[4]  an epoch for a log that has none
--
-- Returns  {events removed, how many of them some group had not acknowledged}
--@include shared/keys
--@include events/log
--@include events/unread

local log = look(ARGV[4])
if log.length == 0 then return {0, 0} end
local bound = ARGV[1] .. '-0'
local unread = log.groups > 0 and oldest_unread(log)
if unread and ARGV[2] == '1' and before(unread, bound) then bound = unread end
local watched = unread and before(unread, bound) and ids(unread, '(' .. bound, ARGV[3]) or {}
local newest = redis.call('XREVRANGE', stream, '(' .. bound, '-', 'COUNT', 1)[1]
if not newest then return {0, 0} end
local removed = redis.call('XTRIM', stream, 'MINID', '=', bound)
log.length, log.first = log.length - removed, first_id()
log.floor, log.head = newest[1], log.first or ''
note(log)
return {removed, gone(watched, log.first)}
