-- Put before the scripts that read waiting tickets, after common.lua.

-- A ticket is one of
--   w;<arrived>;<node>;<device>;<meets>;<interests>;<widens>;<waits>;<pools>;<avoid>
--              waiting; lists are ',a,b,' or ','; arrived and widens in microseconds; waits = under
--              which key its wait will be recorded, pools = in which it stands or will stand, both
--              without what all such keys begin with
--   m;<match>  claimed by a match
--   x          closed: a late duplicate of join must not queue it again
local WAITING = '^w;(%d+);([^;]*);([^;]*);([^;]*);([^;]*);()'
local REST = '^(%d+);([^;]*);([^;]*)'

-- waiting returns arrived, node, device, meets, interests and where the rest of a record begins;
-- nil unless the ticket waits.
local function waiting(record) return match(record or '', WAITING) end

-- avoids says that the ticket whose record has this rest avoids a device. Nothing else in the rest
-- is a word of a list that looks like a device: a pool has colons.
local function avoids(record, rest, device) return find(record, ',' .. device .. ',', rest, true) end

-- over says that a ticket may not be matched any more: its node died, or it waited too long.
local function over(node, arrived)
  return not alive(node) or now - arrived >= LONGEST
end

local function unqueue(id, record, rest)
  local _, _, pools = match(record, REST, rest)
  for pool in gmatch(pools, '[^,]+') do call('ZREM', POOL_KEY .. pool, id) end
end

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
