-- Reads changes after a position: whole transactions, in order.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the epoch of the position
-- ARGV[2]  its revision
-- ARGV[3]  how many changes are looked at
-- ARGV[4]  most changes of a transaction
-- ARGV[5]  the epoch of the position before the first change
--
-- Returns  {'page', epoch, revision to go on from, {{revision, name, kind, time, author}, …}}
--          {'compacted', epoch, head, horizon}
--@include shared/keys
--@include documents/records

local epoch, head, horizon = position()
local after, limit = tonumber(ARGV[2]), math.max(tonumber(ARGV[3]), 1)
if epoch == '' then epoch = ARGV[5] end
local beginning = ARGV[1] == ARGV[5] and after == 0
if not (beginning or ARGV[1] == epoch) or after < horizon or after > head then
  return {'compacted', epoch, int(head), int(horizon)}
end
-- As many more as the last transaction may have.
local entries = redis.call('XRANGE', log, int(after + 1) .. '-0', '+', 'COUNT', int(limit + tonumber(ARGV[4])))
local rows, last = {}, nil
for i, entry in ipairs(entries) do
  local revision = string.match(entry[1], '^(%d+)')
  if i > limit and revision ~= last then
    return {'page', epoch, last, rows}
  end
  last = revision
  local f = entry[2]
  rows[i] = {revision, f[2], f[4], f[6], f[8]}
end
return {'page', epoch, int(head), rows}
