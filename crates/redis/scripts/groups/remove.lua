-- Removes a group, with its dead and its revived.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the group
-- ARGV[2]  the group, encoded
--
-- Returns  1 where it was there
--@include shared/keys
--@include events/log
--@include groups/work

clear()
if redis.call('EXISTS', stream) == 0 then return 0 end
return redis.call('XGROUP', 'DESTROY', stream, group)
