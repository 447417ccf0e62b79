-- Put before the scripts that read waiting tickets, after common.lua.

-- A ticket is one of
--   w;<arrived>;<ripe>;<wish>
--              waiting; W instead of w: it stands in others too. arrived and ripe, when it has
--              widened once, in microseconds
--   m;<match>  claimed by another ticket: that one holds the match and lends it its name
--   o;...      a match, see match.lua, made by this ticket
--   x          closed: a late duplicate of join must not queue it again
-- and a wish, what was asked for, is
--   <widens>;<device>;<node>;<interests>;<waits>;<near>;<far>;<others>;<meets>;<avoid>
--              widens in microseconds, 8 places; interests one letter each, 5 places; waits = under
--              which key its wait will be recorded; near, far and others, 'a,b', are the pools in which
--              it stands since arrived, ripe, and as long after ripe again; meets and avoid are ',a,b,'
--              or ','. Keys are without what all such keys begin with
-- Until its waits everything has a fixed length: FROM_ARRIVED, TO_ARRIVED and so on say where it is in
-- a ticket. NARROW and WIDE are 'w' and 'W'.
--
-- A pool has the score 0 for all. An entry is since when, and from FROM_WHO on who: so they stand in
-- order. The last entry begins with END, '~', and is nobody: with it a pool that empties need not be
-- made anew. The rest of it says in which 100 s the pool got its lifetime.

-- waiting says that there is a ticket, and that it waits.
local function waiting(record)
  local state = record and string.byte(record)
  return state == NARROW or state == WIDE
end

-- unqueue takes a ticket out of its pools and returns its waits.
local function unqueue(id, record)
  local call, sub = redis.call, string.sub
  local waits, near, far, others = string.match(record, '^([^;]*);([^;]*);([^;]*);([^;]*)', FROM_WAITS)
  local arrived, ripe = sub(record, FROM_ARRIVED, TO_ARRIVED), sub(record, FROM_RIPE, TO_RIPE)
  local entry = arrived .. id
  for pool in string.gmatch(near, '[^,]+') do call('ZREM', POOL_KEY .. pool, entry) end
  if far ~= '' then call('ZREM', POOL_KEY .. far, ripe .. id) end
  if string.byte(record) == WIDE then
    entry = string.format('%016d', 2 * ripe - arrived) .. id
    for pool in string.gmatch(others, '[^,]+') do call('ZREM', POOL_KEY .. pool, entry) end
  end
  return waits
end

