-- sweep: drop tickets of a pool that may not be matched any more. Whoever looks for a peer drops
-- those it meets; this is for pools in which nobody looks.
--
-- KEYS  1 the pool
-- ARGV  1 rank to begin at   2 how many to look at
-- Result {now, looked at, dropped}
-- Complexity: log n and the number looked at.

-- drop takes out a ticket that is over. Should its node only have been slow, its owner may queue
-- the same ticket again; one that waited too long is closed.
local function drop(id, node, record, rest)
  unqueue(id, record, rest)
  if alive(node) then
    close(id)
  else
    call('DEL', TICKET_KEY .. id)
  end
end

local ids = call('ZRANGE', KEYS[1], ARGV[1], ARGV[1] + ARGV[2] - 1)
local dropped = 0
for _, id in ipairs(ids) do
  local record = call('GET', TICKET_KEY .. id)
  local arrived, node, _, _, _, rest = match(record or '', WAITING)
  if not arrived then
    call('ZREM', KEYS[1], id)
    dropped = dropped + 1
  elseif over(node, arrived) then
    drop(id, node, record, rest)
    dropped = dropped + 1
  end
end
return {NOW, digits(#ids), digits(dropped)}
