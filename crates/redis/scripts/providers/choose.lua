-- Chooses a provider, counts the request with its time, and notes that it is in use. A repetition answers what was chosen.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  parameters, JSON: now lease_for strategy sample sticky_ttl (all times in milliseconds)
-- ARGV[2]  the id of the use
-- ARGV[3]  the encoded model, or empty
-- ARGV[4]  the encoded key of the session, or empty
-- ARGV[5…] providers that are left out
--
-- Returns  {'chosen', provider, version, version of its credential or '', revision, 1 where it is a probe} {'no_pool'}
--          {'none', providers, disabled, excepted, without the model, unhealthy, full, open, when to retry or ''}
--@include shared/keys
--@include providers/pool

local p = cjson.decode(ARGV[1])
local lease, model, session, now = ARGV[2], ARGV[3], ARGV[4], p.now
local pool = redis.call('HMGET', meta, 'rev', 'cur', 'trn')
if not pool[1] then return {'no_pool'} end

local function chosen(id, probe)
  local version = redis.call('HGET', provider_key(id), 'ver')
  return {'chosen', id, version, redis.call('HGET', base .. 't:' .. id, 'v') or '', pool[1], probe and 1 or 0}
end

local function remember(id)
  if session == '' then return end
  redis.call('SET', base .. 's:' .. session, int(now + p.sticky_ttl) .. ' ' .. id, 'PX', int(p.sticky_ttl + 60000))
end

shed(now)
local taken = redis.call('HGET', uses, lease)
if taken then
  remember(string.sub(taken, 3))
  return chosen(string.sub(taken, 3), string.sub(taken, 1, 1) == '1')
end

local excepted, remembered = {}, nil
for i = 5, #ARGV do excepted[ARGV[i]] = true end
if session ~= '' then
  local until_ms, id = string.match(redis.call('GET', base .. 's:' .. session) or '', '^(%d+) (.+)$')
  if until_ms and tonumber(until_ms) > now then remembered = id end
end

local DAY, FRESH, STRIDE, BEHIND_ALL = 86400000, 120000, 1048576, 1e12
local cursor, turn = tonumber(pool[2] or 0), tonumber(pool[3] or 0)
local out = {disabled = 0, excepted = 0, model = 0, unhealthy = 0, full = 0, open = 0}
local retry_at

local function leave_out(why, at)
  out[why] = out[why] + 1
  if at and at > now then retry_at = math.min(retry_at or at, at) end
  return false
end

-- Whether a provider may be chosen, and whether as a probe.
local function may(id, f)
  local until_ms = f.rt and tonumber(f.rt)
  if f.dis then return leave_out('disabled') end
  if excepted[id] then return leave_out('excepted') end
  if model ~= '' and f.ex and string.find(f.ex, ' ' .. model .. ' ', 1, true) then return leave_out('model') end
  if f.nr then return leave_out('unhealthy') end
  if (until_ms and until_ms > now) or (f.un and (not until_ms or f.tr)) then return leave_out('unhealthy', until_ms) end
  if f.max > 0 and f.fl >= f.max then return leave_out('full') end
  if f.bs == '3' then return leave_out('open') end
  if f.bs == '1' then
    local probe_at = f.bpa and tonumber(f.bpa)
    if not probe_at or probe_at > now or f.tr then return leave_out('open', probe_at) end
    return true, true
  end
  if f.bs == '2' then
    local asked = redis.call('HINCRBY', provider_key(id), 'ak', 1) - 1
    if asked % math.max(p.sample, 1) ~= 0 then return leave_out('open') end
    return true, true
  end
  return true, f.un and true or false
end

local function is_fresh(f)
  if f.rq > 0 or f.un or not f.cka then return false end
  local checked = tonumber(f.cka)
  return now - checked < FRESH and not (f.lfa and tonumber(f.lfa) >= checked)
end

local ranks = {
  score = function(f)
    if is_fresh(f) then return -2e18, 0, 0 end
    return (f.ua and f.used or now - DAY) + f.rq * 10000 + f.sq * 1000, 0, 0
  end,
  least_used = function(f) return f.rq, f.sq, f.used end,
  least_recently_used = function(f) return f.sq, f.used, 0 end,
  round_robin = function(f) return f.pos > cursor and f.pos or f.pos + BEHIND_ALL, 0, 0 end,
  weighted = function(f) return math.max(f.ps, turn), 0, 0 end,
  least_in_flight = function(f) return f.fl / f.w, f.sq, f.used end,
  priority = function(f) return f.prio, f.sq, f.used end,
}
local rank = ranks[p.strategy]

local function is_before(a, b)
  if a.probe ~= b.probe then return a.probe end
  for i = 1, 3 do
    if a[i] ~= b[i] then return a[i] < b[i] end
  end
  return less(a.id, b.id)
end

local best, stuck
local members = redis.call('ZRANGE', order, 0, -1, 'WITHSCORES')
for i = 1, #members, 2 do
  local id = members[i]
  local v = redis.call('HMGET', provider_key(id), 'dis', 'w', 'prio', 'max', 'ex', 'un', 'rt', 'nr', 'tr', 'fl', 'bs', 'bpa', 'rq',
    'ua', 'sq', 'cka', 'lfa', 'ps')
  local f = {
    dis = v[1], w = tonumber(v[2]), prio = tonumber(v[3]), max = tonumber(v[4]), ex = v[5], un = v[6], rt = v[7], nr = v[8],
    tr = v[9], fl = tonumber(v[10] or 0), bs = v[11], bpa = v[12], rq = tonumber(v[13] or 0), ua = v[14],
    used = tonumber(v[14] or 0), sq = tonumber(v[15] or 0), cka = v[16], lfa = v[17], ps = tonumber(v[18] or 0),
    pos = tonumber(members[i + 1]),
  }
  local free, probe = may(id, f)
  if free then
    local mine = {rank(f)}
    mine.id, mine.probe, mine.f = id, probe, f
    if id == remembered then stuck = mine end
    if not best or is_before(mine, best) then best = mine end
  end
end

local taken_now = stuck or best
if not taken_now then
  return {'none', #members / 2, out.disabled, out.excepted, out.model, out.unhealthy, out.full, out.open,
    retry_at and int(retry_at) or ''}
end

local id, f, probe = taken_now.id, taken_now.f, taken_now.probe
local key = provider_key(id)
local sequence = redis.call('HINCRBY', meta, 'seq', 1)
redis.call('HINCRBY', key, 'rq', 1)
redis.call('HINCRBY', key, 'fl', 1)
redis.call('HSET', key, 'ua', int(now), 'sq', int(sequence))
redis.call('HSET', meta, 'cur', int(f.pos))
if p.strategy == 'weighted' then
  local pass = math.max(f.ps, turn)
  redis.call('HSET', key, 'ps', int(pass + math.floor(STRIDE / f.w)))
  redis.call('HSET', meta, 'trn', int(pass))
end
if probe and (f.un or f.bs == '1') then redis.call('HSET', key, 'tr', lease) end
redis.call('HSET', uses, lease, (probe and '1' or '0') .. ' ' .. id)
redis.call('ZADD', ends, int(now + p.lease_for), lease)
remember(id)
return chosen(id, probe)
