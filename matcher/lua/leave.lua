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
if record == 'x' then return {'left', NOW} end
local arrived, _, _, _, _, rest = match(record, WAITING)
if not arrived then return {'claimed', NOW, string.sub(record, 3)} end
unqueue(id, record, rest)
close(id)
return {'left', NOW}
