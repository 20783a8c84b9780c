-- Lets a request in, counts and reserves it; or says why not, and counts nothing.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  the request
-- ARGV[2]  tokens that it may use
-- ARGV[3]  what it may cost
-- ARGV[4]  until when it is in flight, in milliseconds
-- ARGV[5]  the present, in milliseconds
-- ARGV[6]  when the month began, in milliseconds
-- ARGV[7]  when the next month begins, in milliseconds
--
-- Returns  {'admitted', the fields of the key, requests in flight}, {'unknown'}, {'disabled'}, {'expired'},
--          {'limited', limit, when there is room} or {'budget', when the next period begins, or empty}
--@include shared/keys
--@include keys/key

local request, tokens, cost = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local now = tonumber(ARGV[5])
local today = math.floor(now / DAY)

-- When a period began, and when the next one begins.
local function period_of(name)
  if name == 'day' then return today * DAY, int((today + 1) * DAY) end
  if name == 'week' then
    local monday = today - (today + 3) % 7
    return monday * DAY, int((monday + 7) * DAY)
  end
  if name == 'month' then return tonumber(ARGV[6]), ARGV[7] end
  return 0, ''
end

-- Forgets what is not of the last minute any more; returns the tokens of what is.
local function shed_minute()
  local sum = tonumber(redis.call('HGET', weight, '') or 0)
  local gone = redis.call('ZRANGEBYSCORE', minute, '-inf', int(now - MINUTE))
  for _, name in ipairs(gone) do
    sum = sum - tonumber(redis.call('HGET', weight, name) or 0)
    redis.call('HDEL', weight, name)
    redis.call('ZREM', minute, name)
  end
  if #gone > 0 then redis.call('HSET', weight, '', int(sum)) end
  return sum
end

-- When so many tokens are left in the minute, or fewer.
local function light_at(sum, most)
  local entries = redis.call('ZRANGE', minute, 0, -1, 'WITHSCORES')
  for i = 1, #entries, 2 do
    sum = sum - tonumber(redis.call('HGET', weight, entries[i]) or 0)
    if sum <= most then return int(tonumber(entries[i + 1]) + MINUTE) end
  end
  return int(now + MINUTE)
end

local key = load_key()
if not key then return {'unknown'} end
local arrived = redis.call('ZSCORE', minute, request)
if redis.call('HEXISTS', open, request) == 1 or (arrived and tonumber(arrived) > now - MINUTE) then
  return told('admitted', key, now)
end
if key.disabled == '1' then return {'disabled'} end
if key.expires ~= '' and tonumber(key.expires) <= now then return {'expired'} end

local weighed = shed_minute()
local count = redis.call('ZCARD', minute)
if key.rpm ~= '' and count >= tonumber(key.rpm) then
  local first = redis.call('ZRANGE', minute, count - tonumber(key.rpm), count - tonumber(key.rpm), 'WITHSCORES')[2]
  return {'limited', 'requests_per_minute', int(tonumber(first or now) + MINUTE)}
end
if key.tpm ~= '' then
  local most = tonumber(key.tpm)
  local wanted = math.min(tokens, most)
  if weighed + wanted > most then return {'limited', 'tokens_per_minute', light_at(weighed, most - wanted)} end
end

-- A slower clock brings back neither a day nor a period.
if today > tonumber(key.day) then key.day, key.today = int(today), '0' end
local start, next_start = period_of(key.period)
if key.budget ~= '' and start > tonumber(key.spent_from) then key.spent_from, key.spent = int(start), '0' end

local over = key.rpd ~= '' and tonumber(key.today) >= tonumber(key.rpd)
if over and tonumber(key.bonus_used) >= tonumber(key.bonus) then
  return {'limited', 'requests_per_day', int((tonumber(key.day) + 1) * DAY)}
end
if key.most ~= '' and redis.call('ZCOUNT', flight, '(' .. int(now), '+inf') >= tonumber(key.most) then
  return {'limited', 'in_flight', int(now + 1000)}
end
if key.budget ~= '' and tonumber(key.spent) + cost > tonumber(key.budget) then return {'budget', next_start} end

local counter = over and 'bonus_used' or 'today'
key[counter] = int(tonumber(key[counter]) + 1)
key.requests = int(tonumber(key.requests) + 1)
key.spent = int(tonumber(key.spent) + cost)
if key.used == '' or tonumber(key.used) < now then key.used = int(now) end
for _, name in ipairs({'requests', 'today', 'day', 'bonus_used', 'spent', 'spent_from', 'used'}) do
  redis.call('HSET', meta, name, key[name])
end
local bonus = over and '1' or '0'
local packed = {ARGV[2], ARGV[3], ARGV[5], ARGV[4], key.day, bonus, key.spent_from}
redis.call('HSET', open, request, table.concat(packed, ' '))
redis.call('ZADD', flight, ARGV[4], request)
redis.call('ZADD', minute, ARGV[5], request)
redis.call('HSET', weight, request, ARGV[2], '', int(weighed + tokens))
redis.call('PEXPIREAT', minute, int(now + 2 * MINUTE))
redis.call('PEXPIREAT', weight, int(now + 2 * MINUTE))
return told('admitted', key, now)
