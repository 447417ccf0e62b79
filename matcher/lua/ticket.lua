-- Put before the scripts that read waiting tickets, after common.lua.

-- A ticket is one of
--   w;<arrived>;<node>;<device>;<meets>;<interests>;<widens>;<waits>;<pools>;<avoid>
--              waiting; lists are ',a,b,' or ','; arrived and widens in microseconds; waits = under
--              which key its wait will be recorded, pools = in which it stands or will stand, both
--              without what all such keys begin with
--   m;<match>  claimed by a match
--   x          closed: a late duplicate of join must not queue it again
-- WAITING finds arrived, node, device, meets, interests and where the rest of the record begins; REST
-- finds there widens, waits and pools.
local WAITING = '^w;(%d+);([^;]*);([^;]*);([^;]*);([^;]*);()'
local REST = '^(%d+);([^;]*);([^;]*)'

-- avoids says that the ticket whose record has this rest avoids a device. Nothing else in the rest
-- is a word of a list that looks like a device: a pool has colons.
local function avoids(record, rest, device) return find(record, ',' .. device .. ',', rest, true) end

-- over says that a ticket may not be matched any more: its node died, or it waited too long.
local function over(node, arrived)
  return not alive(node) or now - arrived >= LONGEST
end

-- unqueue takes a ticket out of its pools and returns its waits.
local function unqueue(id, record, rest)
  local _, waits, pools = match(record, REST, rest)
  for pool in gmatch(pools, '[^,]+') do call('ZREM', POOL_KEY .. pool, id) end
  return waits
end
