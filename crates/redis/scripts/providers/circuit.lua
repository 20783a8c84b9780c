-- What uses and checks show, and what follows from it. The same is said in Rust, in `mainstay_core::providers::pool`.

local CLOSED, OPEN, HALF_OPEN, FORCED = 0, 1, 2, 3
local PARTS, MAX_MARKS = 12, 100

-- Puts a circuit in a state, and forgets what it was judged by.
local function stand(key, state, reason, since, probe_at)
  redis.call('HDEL', key, 'bs', 'br', 'bpa', 'mk', 'ms', 'an', 'sc', 'ak')
  put(key, 'bs', state ~= CLOSED and state)
  put(key, 'br', reason)
  put(key, 'bpa', probe_at and int(probe_at))
  put(key, 'bsn', since and int(since))
end

local function open(key, was, rules, now, reason)
  local since = was == OPEN and tonumber(redis.call('HGET', key, 'bsn') or now) or now
  stand(key, OPEN, reason, since, now + rules.open_for)
  return reason
end

-- Notes a failure; opens where there are too many, seen by enough nodes.
local function mark(key, showing, rules, now)
  local marks, nodes, count = {}, {}, 0
  local function keep(at, node)
    marks[#marks + 1] = at .. ' ' .. node .. ';'
  end
  for at, node in string.gmatch(redis.call('HGET', key, 'mk') or '', '(%-?%d+) ([^;]*);') do
    if tonumber(at) > now - rules.error_window then keep(at, node) end
  end
  keep(int(now), showing.node)
  if #marks > MAX_MARKS then table.remove(marks, 1) end
  for _, text in ipairs(marks) do
    local node = string.match(text, ' ([^;]*);')
    if not nodes[node] then
      nodes[node] = true
      count = count + 1
    end
  end
  if rules.max_errors == 0 or #marks < rules.max_errors or count < rules.quorum then
    redis.call('HSET', key, 'mk', table.concat(marks))
    return nil
  end
  return open(key, CLOSED, rules, now, #marks .. ' failures within ' .. int(rules.error_window) .. ' ms')
end

-- Counts an answer; half-opens where answers have been slow for long.
local function measure(key, showing, rules, now)
  local took = showing.first_byte
  if not took then return nil end
  local part = math.floor(now / math.max(math.floor(rules.slow_for / PARTS), 1))
  local found = redis.call('HMGET', key, 'an', 'ms')
  local since, answers, total, slow, known = tonumber(found[2] or now), {}, 0, 0, false
  local late = took > rules.slow_after and 1 or 0
  for at, all, of_them in string.gmatch(found[1] or '', '(%-?%d+) (%d+) (%d+);') do
    at, all, of_them = tonumber(at), tonumber(all), tonumber(of_them)
    if at > part - PARTS and at <= part + 1 then
      if at == part then all, of_them, known = all + 1, of_them + late, true end
      answers[#answers + 1] = int(at) .. ' ' .. int(all) .. ' ' .. int(of_them) .. ';'
      total, slow = total + all, slow + of_them
    end
  end
  if #answers == 0 then since = now end
  if not known then
    answers[#answers + 1] = int(part) .. ' 1 ' .. late .. ';'
    total, slow = total + 1, slow + late
  end
  redis.call('HSET', key, 'an', table.concat(answers), 'ms', int(since))
  local long = since + rules.slow_for <= now
  if not long or total < rules.min_answers or slow * 1000 <= rules.slow_per_mille * total then return nil end
  local reason = 'answers take longer than ' .. int(math.floor(rules.slow_after / 1000)) .. ' ms'
  stand(key, HALF_OPEN, reason, now)
  return reason
end

local function recover(key, from, showing, rules, now)
  local late = showing.first_byte and showing.first_byte > rules.slow_after
  local successes = late and 0 or tonumber(redis.call('HGET', key, 'sc') or 0) + 1
  if successes >= math.max(rules.successes_to_close, 1) then
    stand(key, CLOSED, false, now)
    return 'probes succeeded'
  end
  local reason = from == OPEN and 'a probe succeeded' or nil
  if reason then stand(key, HALF_OPEN, reason, now) end
  redis.call('HSET', key, 'sc', successes)
  return reason
end

-- Changes the circuit by what was shown; answers why, where its state is another one.
local function show_circuit(key, from, showing, rules, now)
  local broke = showing.outcome == 'failed' and (showing.class == 'server' or showing.class == 'network')
  if from == FORCED then return nil end
  if from == CLOSED then
    return broke and mark(key, showing, rules, now) or measure(key, showing, rules, now)
  end
  if not showing.probe then return nil end
  if broke then
    open(key, from, rules, now, 'a probe failed')
    return from ~= OPEN and 'a probe failed' or nil
  end
  if showing.outcome == 'success' then return recover(key, from, showing, rules, now) end
  return nil
end

local function show_failure(key, health, showing, rules, now)
  if showing.request then
    redis.call('HINCRBY', key, 'er', 1)
    redis.call('HSET', key, 'fa', int(now))
  end
  local failures = health.failures
  if showing.counts then
    local follows = health.failed_at and health.failed_at + rules.window >= now
    failures = follows and failures + 1 or 1
    redis.call('HSET', key, 'fs', failures)
  end
  redis.call('HSET', key, 'lfa', int(now), 'lfm', showing.message)
  local too_many = showing.counts and rules.max_failures > 0 and failures >= rules.max_failures
  local retry_at = showing.retry_at
  if (health.unhealthy and showing.probe) or (not health.unhealthy and (showing.condemns or too_many)) then
    redis.call('HSET', key, 'un', 1)
    retry_at = retry_at or now + rules.retry_after
  elseif retry_at and health.retry_at then
    retry_at = math.max(retry_at, health.retry_at)
  end
  if retry_at then redis.call('HSET', key, 'rt', int(retry_at)) end
  if showing.refresh then redis.call('HSET', key, 'nr', 1) end
end

-- Only a probe shows that what was unhealthy has recovered: another request may have been sent before it was found so.
local function show_success(key, health, showing)
  if health.unhealthy and not showing.probe then return end
  if health.unhealthy then redis.call('HDEL', key, 'un', 'rt') end
  redis.call('HDEL', key, 'fs')
end

-- Shows a provider what became of a use or a check. Adds to `told` the change of its circuit, and notes whether to wake readers.
local function show(id, showing, rules, now, told)
  local key = provider_key(id)
  local f = redis.call('HMGET', key, 'ver', 'un', 'fs', 'lfa', 'rt', 'bs')
  if not f[1] then return end
  local health = {
    unhealthy = f[2], failures = tonumber(f[3] or 0), failed_at = f[4] and tonumber(f[4]), retry_at = f[5] and tonumber(f[5]),
  }
  local words = function()
    local w = redis.call('HMGET', key, 'un', 'nr', 'rt')
    return (w[1] or '') .. ' ' .. (w[2] or '') .. ' ' .. (w[3] or '')
  end
  local before = words()
  if showing.outcome == 'success' then
    show_success(key, health, showing)
  elseif showing.outcome == 'failed' then
    show_failure(key, health, showing, rules, now)
  elseif showing.outcome == 'unsent' and showing.request then
    if tonumber(redis.call('HGET', key, 'rq') or 0) > 0 then redis.call('HINCRBY', key, 'rq', -1) end
  end
  if words() ~= before then told.wakes = true end
  local from = tonumber(f[6] or CLOSED)
  local reason = show_circuit(key, from, showing, rules, now)
  if reason then
    told.wakes = true
    local to = tonumber(redis.call('HGET', key, 'bs') or CLOSED)
    for _, part in ipairs({id, from, to, reason}) do told[#told + 1] = part end
  end
end
