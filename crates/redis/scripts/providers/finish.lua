-- Ends uses, with what they showed. A use that is over changes nothing.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  parameters, JSON: now, and the rules (times in milliseconds, slow_after in microseconds)
-- ARGV[2]  channel of the wake-ups
-- ARGV[3]  what to publish there
-- ARGV[4…] eight for each use: its id, and what it showed (providers/showing)
--
-- Returns  {how many were in use, provider, state before, state now, reason, …}
--@include shared/keys
--@include providers/pool
--@include providers/circuit
--@include providers/showing

local p = cjson.decode(ARGV[1])
local applied, told = 0, {}
shed(p.now)
for i = 4, #ARGV, 8 do
  local id, probe = end_use(ARGV[i])
  if id then
    applied = applied + 1
    local showing = read_showing(i + 1)
    showing.probe, showing.request = probe, true
    show(id, showing, p, p.now, told)
  end
end
if told.wakes then redis.call('PUBLISH', ARGV[2], ARGV[3]) end
return {applied, unpack(told)}
