-- leave: a search is over. A late duplicate of its join finds the ticket closed.
--
-- KEYS  1 the ticket
-- ARGV  1 ticket
-- Result {'left', now} | {'claimed', now, match}: too late, abort the match instead
--       | {'unknown', now}
-- Complexity: log n for each of the ticket's pools.

local id = ARGV[1]
local record = call('GET', KEYS[1])
if not record then
  close(id)
  return {'unknown', NOW}
end
local state = sub(record, 1, 1)
if find(state, '[xPOAB]') then return {'left', NOW} end
if not waiting(record) then return {'claimed', NOW, state == 'm' and sub(record, 3) or id} end
remember(unqueue(id, record), now - sub(record, FROM_ARRIVED, TO_ARRIVED), '+')
close(id)
return {'left', NOW}
