-- Until when somebody is a member.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded room
-- ARGV[2]  the member, opaque
-- ARGV[3]  the present, in milliseconds
--
-- Returns  '' where it is none, 'inf' without an end, else milliseconds
--@include shared/keys
--@include rooms/members

return is_member(ARGV[1], ARGV[2], tonumber(ARGV[3])) or ''
