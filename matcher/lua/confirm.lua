-- confirm: one side is here and ready. The second confirmation makes the match live, in one step.
--
-- KEYS  1 the match
-- ARGV  1 match   2 ticket
-- Result {'pending', now} | {'gone', now}
--       | {'live', now, 'new' or 'old', other ticket, other node}
--       | {'orphaned', now, other ticket, other node}: the other's node died, the match is aborted
-- Complexity: constant.

local id, ticket = ARGV[1], ARGV[2]
local pair = read_match(ticket)
if not pair or pair.state == 'aborted' then return {'gone', NOW} end

local mine, other = pair.mine, pair.other
if pair.state == 'live' then return {'live', NOW, 'old', other.ticket, other.node} end
if pair.state ~= other.name then -- the first confirmation, or the same again
  if pair.state == 'offered' then become(pair, mine.name) end
  return {'pending', NOW}
end

if not alive(other.node) then
  become(pair, 'aborted')
  close(ticket)
  close(other.ticket)
  tell(other.node, 'abort', id, other.ticket, mine.node, 'peer') -- should it only have been slow
  return {'orphaned', NOW, other.ticket, other.node}
end

become(pair, 'live')
-- The tickets stay claimed until no late duplicate of join can come any more.
call('PEXPIRE', TICKET_KEY .. ticket, TOMBSTONE)
call('PEXPIRE', TICKET_KEY .. other.ticket, TOMBSTONE)
-- A long list is trimmed and given its lifetime only now and then; it never holds more than 100.
for _, side in ipairs({mine, other}) do
  local waits = WAITS_KEY .. side.waits
  local length = call('LPUSH', waits, digits(math.floor((pair.made - side.arrived) / 1000)))
  if length <= 10 or length % 10 == 1 then call('PEXPIRE', waits, WAITS_TTL) end
  if length >= 100 then call('LTRIM', waits, '0', '79') end
end
tell(other.node, 'live', id, other.ticket, mine.node, '')
return {'live', NOW, 'new', other.ticket, other.node}
