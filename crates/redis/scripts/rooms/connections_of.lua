-- How many connections a member has in the rooms of a stream.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the encoded member
-- ARGV[2]  the present, in milliseconds
--
-- Returns  how many
--@include shared/keys

local seen, count = {}, 0
for _, pair in ipairs(redis.call('ZRANGEBYSCORE', base .. 'u:' .. ARGV[1], '(' .. ARGV[2], '+inf')) do
  -- Rooms are encoded and hold no NUL: the last one parts them.
  local connection = string.match(pair, '^(.*)%z')
  if not seen[connection] then
    seen[connection] = true
    count = count + 1
  end
end
return count
