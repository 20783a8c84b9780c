-- Reads what a use or a check showed from seven arguments, from the given one on: how it went, the kind of failure, its words, flags
-- (c counts, x condemns, r needs a refresh), when to retry, how long the first byte took in microseconds, and the encoded node.
local function read_showing(at)
  local flags = ARGV[at + 3]
  return {
    outcome = ARGV[at], class = ARGV[at + 1], message = ARGV[at + 2],
    counts = string.find(flags, 'c', 1, true), condemns = string.find(flags, 'x', 1, true),
    refresh = string.find(flags, 'r', 1, true), retry_at = tonumber(ARGV[at + 4]),
    first_byte = tonumber(ARGV[at + 5]), node = ARGV[at + 6],
  }
end
