-- confirm: one side is here and ready. The second confirmation makes the match live, in one step.
--
-- KEYS  1 the match
-- ARGV  1 match   2 ticket
-- Result {'pending', now} | {'gone', now}
--       | {'live', now, 'new' or 'old', other ticket, other node}
--       | {'orphaned', now, other ticket, other node}: the other's node died, the match is aborted
-- Complexity: constant.

local id, ticket = ARGV[1], ARGV[2]
local pair = read_match(id)
local mine, other
if pair then mine, other = side_of(pair, ticket) end
if not mine or pair.state == 'aborted' then return {'gone', NOW} end

local other_ticket, other_node = pair[other .. '_ticket'], pair[other .. '_node']
if pair.state == 'live' then return {'live', NOW, 'old', other_ticket, other_node} end
if pair.state ~= other then -- the first confirmation, or the same again
  if pair.state == 'offered' then
    pair.state = mine
    write_match(id, pair)
  end
  return {'pending', NOW}
end

local my_node = pair[mine .. '_node']
if not alive(other_node) then
  pair.state = 'aborted'
  write_match(id, pair)
  close(ticket)
  close(other_ticket)
  tell(other_node, 'abort', id, other_ticket, my_node, 'peer') -- should it only have been slow
  return {'orphaned', NOW, other_ticket, other_node}
end

pair.state = 'live'
write_match(id, pair)
-- The tickets stay claimed until no late duplicate of join can come any more.
call('PEXPIRE', ticket_key(ticket), TOMBSTONE)
call('PEXPIRE', ticket_key(other_ticket), TOMBSTONE)
for _, side in ipairs({'a', 'b'}) do
  local waits = waits_key(pair[side .. '_language'], pair[side .. '_interest'])
  call('LPUSH', waits, digits((pair.made - pair[side .. '_arrived']) / 1000))
  call('LTRIM', waits, '0', '99')
  call('PEXPIRE', waits, WAITS_TTL)
end
tell(other_node, 'live', id, other_ticket, my_node, '')
return {'live', NOW, 'new', other_ticket, other_node}
