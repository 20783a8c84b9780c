-- The keys of a namespace by id.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  behind this id, or empty
-- ARGV[2]  how many at most
--
-- Returns  {id, digest, ...}
--@include shared/keys

local from = ARGV[1] == '' and '-' or '(' .. ARGV[1]
local answer = {}
for _, id in ipairs(redis.call('ZRANGEBYLEX', base .. 'ids', from, '+', 'LIMIT', 0, ARGV[2])) do
  answer[#answer + 1] = id
  answer[#answer + 1] = redis.call('HGET', base .. 'digests', id) or ''
end
return answer
