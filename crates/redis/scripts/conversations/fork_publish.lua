-- Begins a conversation with messages that were copied, or says why it would not.
--
-- KEYS[1]  <base>meta
-- ARGV[1]  parameters, JSON: as of create, and source up_to copy; check where it is only asked whether it may begin
-- ARGV[2]  what lists show, opaque
-- ARGV[3]  what they do not show, opaque
-- ARGV[4]  the state of the workflow, opaque, where has_workflow
--
-- Returns  as create, and {'no_source'} {'go_on'}
--@include shared/keys
--@include conversations/records
--@include conversations/requests
--@include conversations/beginning

local p = cjson.decode(ARGV[1])
local refused = refuses(p)
if refused then return refused end
local source = find_alive(p.source, p.now)
if not source or source.n < p.up_to then return {'no_source'} end
if p.check then return {'go_on'} end
local copy = redis.call('HMGET', base .. 's:' .. p.copy, 'last', 'ep', 'by', 'f')
if not copy[1] or tonumber(copy[1]) < p.up_to or copy[2] ~= source.ep then return {'no_source'} end

local log, waiting = base .. 'sm:' .. p.copy, base .. 'sp:' .. p.copy
local function adopt()
  if redis.call('EXISTS', log) == 1 then redis.call('RENAME', log, log_key(p.id)) end
  if redis.call('EXISTS', waiting) == 1 then redis.call('RENAME', waiting, waiting_key(p.id)) end
  redis.call('UNLINK', base .. 's:' .. p.copy)
end
begin(p, ARGV[2], ARGV[3], ARGV[4], {n = p.up_to, by = tonumber(copy[3]), f = tonumber(copy[4])}, adopt)
return {'created'}
