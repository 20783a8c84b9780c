-- The usage of a day.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  behind this row, or empty
-- ARGV[2]  of this label with a NUL at its end, or empty
-- ARGV[3]  how many at most
--
-- Returns  {row, requests, failed, input, cached, output, cost, estimated, ...}
--@include shared/keys

local NAMES = {'requests', 'failed', 'input', 'cached', 'output', 'cost', 'estimated'}
local from, to = '-', '+'
if ARGV[2] ~= '' then from, to = '[' .. ARGV[2], '(' .. string.sub(ARGV[2], 1, -2) .. '\1' end
if ARGV[1] ~= '' then from = '(' .. ARGV[1] end
local answer = {}
for _, row in ipairs(redis.call('ZRANGEBYLEX', base .. 'rows', from, to, 'LIMIT', 0, ARGV[3])) do
  answer[#answer + 1] = row
  for _, name in ipairs(NAMES) do
    answer[#answer + 1] = redis.call('HGET', base .. 'counts', row .. '\0' .. name) or '0'
  end
end
return answer
