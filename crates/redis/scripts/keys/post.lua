-- Counts a request in the usage of a day, once. Sorted set rows: label, pool, provider and model with NUL between, in the
-- order of bytes; hash counts: numbers by row, NUL and name; set seen: requests, for as long as they may be settled.
--
-- KEYS[1]  <base>meta (never written; the aggregate's keys share its base)
-- ARGV[1]  the request
-- ARGV[2]  who asked, pool, provider and model with NUL between, opaque
-- ARGV[3]  the same where there is no room for another row
-- ARGV[4]  failed, input tokens, cached tokens, output tokens, cost and whether they are estimated, with spaces between
-- ARGV[5]  rows at most
-- ARGV[6]  until when requests are remembered, in milliseconds
--
-- Returns  1, or 0 where it is counted already
--@include shared/keys

local NAMES = {'failed', 'input', 'cached', 'output', 'cost', 'estimated'}
local rows, counts, seen = base .. 'rows', base .. 'counts', base .. 'seen'
if redis.call('SADD', seen, ARGV[1]) == 0 then return 0 end
redis.call('PEXPIREAT', seen, ARGV[6])
local row = ARGV[2]
if not redis.call('ZSCORE', rows, row) and redis.call('ZCARD', rows) >= tonumber(ARGV[5]) then row = ARGV[3] end
redis.call('ZADD', rows, 0, row)
redis.call('HINCRBY', counts, row .. '\0requests', 1)
local nth = 0
for number in string.gmatch(ARGV[4], '%S+') do
  nth = nth + 1
  redis.call('HINCRBY', counts, row .. '\0' .. NAMES[nth], number)
end
return 1
