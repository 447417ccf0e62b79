-- Put before every other script. Names in capitals that nobody declares are constants that Go puts in
-- their place (scripts.go): TICKET_KEY, POOL_KEY and so on, what a key of that class begins with;
-- TICKET_TTL and so on, and TOMBSTONE, in milliseconds; LONGEST and OFFER in microseconds; where the
-- fields of a ticket are. All keys share one hash tag, so every script stays in one slot of a cluster.
--
-- A script begins with nothing each time it is called: what stands here and is not needed costs as
-- much as a command. Dear are, in this order, commands, strings that were not there before, tables,
-- and what a function uses of its surroundings. So functions here use nothing of it if they can.

local call, find, match, gmatch, sub, byte = redis.call, string.find, string.match, string.gmatch, string.sub, string.byte

-- Times are text of 16 digits wherever they are stored, so that text compares as the times do. (The
-- embedded engine reads a number that begins with 0 as octal if it can. No time since 1998 is one.)
local function stamp(micros) return string.format('%016d', micros) end

-- The only clock, in microseconds: exact order, and below 2^53 until the year 2255.
local time = call('TIME')
local now = time[1] * 1000000 + time[2]
local NOW = stamp(now)

-- A node is alive until the deadline that it wrote into the leases.
local deadlines
local function alive(node)
  deadlines = deadlines or {}
  local deadline = deadlines[node]
  if not deadline then
    deadline = redis.call('HGET', LEASE_KEY, node) or ''
    deadlines[node] = deadline
  end
  return deadline > NOW
end

local function close(id) redis.call('SET', TICKET_KEY .. id, 'x', 'PX', TOMBSTONE) end

-- tell puts an event into the inbox of another node; to its own tickets a node hands on what the
-- answer says. An inbox begins with a lifetime; the node itself prolongs it as long as it lives.
local function tell(node, event, match_id, ticket, detail)
  local inbox = INBOX_KEY .. node
  local text = event .. ';' .. match_id .. ';' .. ticket .. ';' .. detail
  if not redis.call('XADD', inbox, 'NOMKSTREAM', 'MAXLEN', '~', '10000', '*', 'event', text) then
    redis.call('XADD', inbox, '*', 'event', text)
    redis.call('PEXPIRE', inbox, INBOX_TTL)
  end
end

