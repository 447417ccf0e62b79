-- sweep: drop tickets of a pool that may not be matched any more. Whoever looks for a peer drops
-- those it meets; this is for pools in which nobody looks.
--
-- KEYS  1 the pool
-- ARGV  1 rank to begin at   2 how many to look at
-- Result {now, looked at, dropped}
-- Complexity: log n and the number looked at.

-- drop takes out a ticket that is over. Should its node only have been slow, its owner may queue
-- the same ticket again; one that waited too long is closed.
local function drop(id, record)
  local waits = unqueue(id, record)
  if alive(sub(record, FROM_NODE, TO_NODE)) then
    remember(waits, LONGEST, '+')
    close(id)
  else
    call('DEL', TICKET_KEY .. id)
  end
end

local entries = call('ZRANGE', KEYS[1], ARGV[1], ARGV[1] + ARGV[2] - 1)
local seen, dropped = 0, 0
for _, entry in ipairs(entries) do
  if byte(entry) == END then break end
  seen = seen + 1
  local id = sub(entry, FROM_WHO)
  local record = call('GET', TICKET_KEY .. id)
  if not waiting(record) then
    call('ZREM', KEYS[1], entry)
    dropped = dropped + 1
  elseif not alive(sub(record, FROM_NODE, TO_NODE)) or now - sub(record, FROM_ARRIVED, TO_ARRIVED) >= LONGEST then
    drop(id, record)
    dropped = dropped + 1
  end
end
return {NOW, string.format('%d', seen), string.format('%d', dropped)}
