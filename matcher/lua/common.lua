-- Put before every other script, after what Go writes from the catalogue of retention: TICKET_KEY,
-- POOL_KEY and so on, what a key of that class begins with; TICKET_TTL and so on, and TOMBSTONE, in
-- milliseconds; LONGEST in microseconds. All keys share one hash tag, so every script stays in one
-- slot of a cluster. A script begins with nothing each time it is called: what stands here and is
-- not needed costs as much as a command.

local call, find, match, gmatch = redis.call, string.find, string.match, string.gmatch

-- The engines write large numbers differently, and slowly: numbers go out as strings.
local function digits(number) return string.format('%d', number) end

-- The only clock, in microseconds: exact order, and below 2^53 until the year 2255.
local time = call('TIME')
local now = time[1] * 1000000 + time[2]
local NOW = digits(now)

-- A node is alive until the deadline that it wrote into the leases.
local deadlines = {}
local function alive(node)
  local deadline = deadlines[node]
  if not deadline then
    deadline = tonumber(call('HGET', LEASE_KEY, node) or '0')
    deadlines[node] = deadline
  end
  return deadline > now
end

local function close(id) call('SET', TICKET_KEY .. id, 'x', 'PX', TOMBSTONE) end

-- tell puts an event into a node's inbox. from = the node that caused it. An inbox begins with a
-- lifetime; the node itself prolongs it as long as it lives.
local function tell(node, event, match_id, ticket, from, detail)
  local inbox = INBOX_KEY .. node
  local text = event .. ';' .. match_id .. ';' .. ticket .. ';' .. from .. ';' .. detail
  if not call('XADD', inbox, 'NOMKSTREAM', 'MAXLEN', '~', '10000', '*', 'event', text) then
    call('XADD', inbox, '*', 'event', text)
    call('PEXPIRE', inbox, INBOX_TTL)
  end
end
