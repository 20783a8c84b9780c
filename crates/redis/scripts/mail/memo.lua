-- What is remembered under a request id: the answer to it, or nothing where there is none any more.
local function recall(key, fingerprint, now)
  local known = redis.call('HMGET', base .. 'req:' .. key, 'fp', 'id', 'until')
  if not known[1] or tonumber(known[3]) <= now then return nil end
  if known[1] ~= fingerprint then return {'memo_mismatch'} end
  return {'replayed', known[2]}
end
