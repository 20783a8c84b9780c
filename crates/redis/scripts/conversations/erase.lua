-- Deletes conversations of an owner, then what is remembered of requests.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  conversations at most
-- ARGV[2]  remembered requests at most
-- ARGV[3]  channel of the wake-ups
-- ARGV[4]  the wake-up
--
-- Returns  {conversations, 1 where something is left}
--@include shared/keys
--@include conversations/records

local ids = redis.call('ZRANGE', base .. 'idx', 0, tonumber(ARGV[1]) - 1)
for _, id in ipairs(ids) do remove(id) end
keep_index()
wake({channel = ARGV[3], wake = ARGV[4]})
if #ids > 0 then return {#ids, 1} end
local keys = redis.call('ZRANGE', base .. 'reqs', 0, tonumber(ARGV[2]) - 1)
for _, key in ipairs(keys) do
  redis.call('UNLINK', base .. 'req:' .. key)
  redis.call('ZREM', base .. 'reqs', key)
end
return {0, redis.call('EXISTS', base .. 'reqs')}
