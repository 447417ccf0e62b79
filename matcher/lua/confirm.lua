-- confirm: one side is here and ready. The second confirmation makes the match live, in one step.
--
-- KEYS  1 the ticket that holds the match
-- ARGV  1 match   2 ticket
-- Result {'pending', now} | {'gone', now}
--       | {'live', now, other ticket, other node}: now or already before
--       | {'orphaned', now, other ticket, other node}: the other's node died, the match is aborted
-- Complexity: constant.

local id, ticket = ARGV[1], ARGV[2]
local pair = read_match(ticket)
if not pair or pair.aborted then return {'gone', NOW} end

local mine, other = pair.mine, pair.other
if pair.state == 'l' then return {'live', NOW, other.ticket, other.node} end
if pair.state ~= other.name then -- the first confirmation, or the same again
  if pair.state == 'o' then become(pair, mine.name) end
  return {'pending', NOW}
end

if not alive(other.node) then
  abort(pair, id, 'P')
  -- Should it only have been slow.
  if other.node ~= mine.node then tell(other.node, 'abort', id, other.ticket, 'peer') end
  return {'orphaned', NOW, other.ticket, other.node}
end

become(pair, 'l')
-- The tickets stay claimed until no late duplicate of join can come any more.
call('PEXPIRE', TICKET_KEY .. (ticket == id and other.ticket or ticket), TOMBSTONE)
remember(mine.waits, pair.made - mine.arrived, '')
remember(other.waits, pair.made - other.arrived, '')
if other.node ~= mine.node then tell(other.node, 'live', id, other.ticket, '') end
return {'live', NOW, other.ticket, other.node}
