-- A log is a Redis stream, which others may write to as well. Its key is the hash tag of what we keep beside it.
local stream = string.match(KEYS[1], '{(.-)}:')

-- What the stream says of itself; nil where there is none.
local function info()
  if redis.call('EXISTS', stream) == 0 then return nil end
  local flat, said = redis.call('XINFO', 'STREAM', stream), {}
  for i = 1, #flat, 2 do said[flat[i]] = flat[i + 1] end
  return said
end

-- The life of the log. It ends where the stream that we saw is gone.
local function epoch_of(said, fresh)
  local epoch = redis.call('HGET', meta, 'epoch')
  if not epoch or (not said and redis.call('HGET', meta, 'seen') == '1') then
    epoch = fresh
    redis.call('HSET', meta, 'epoch', epoch, 'seen', '0')
  end
  if said and redis.call('HGET', meta, 'seen') ~= '1' then redis.call('HSET', meta, 'seen', '1') end
  return epoch
end

-- Whether the place `a` is behind the place `b`.
local function is_behind(a, b)
  local a_ms, a_seq = string.match(a, '^(%d+)-(%d+)$')
  local b_ms, b_seq = string.match(b, '^(%d+)-(%d+)$')
  a_ms, b_ms = tonumber(a_ms), tonumber(b_ms)
  if a_ms ~= b_ms then return a_ms > b_ms end
  return tonumber(a_seq) > tonumber(b_seq)
end
