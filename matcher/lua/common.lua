-- Put before every other script, after the constants that Go writes: TICKET, POOL, MATCH, INBOX,
-- WAITS (formats of keys), LEASES (a key), *_TTL (milliseconds), LONGEST (microseconds). All keys
-- share one hash tag, so every script stays in one slot of a cluster.

local call, format, find, match, gmatch = redis.call, string.format, string.find, string.match, string.gmatch

-- The only clock, in microseconds: exact order, and below 2^53 until the year 2255.
local time = call('TIME')
local now = time[1] * 1000000 + time[2]

-- The engines write large numbers differently.
local function digits(number) return format('%.0f', number) end

-- A node is alive until the deadline that it wrote into the leases.
local deadlines = {}
local function alive(node)
  local deadline = deadlines[node]
  if not deadline then
    deadline = tonumber(call('HGET', LEASES, node) or '0')
    deadlines[node] = deadline
  end
  return deadline > now
end

-- A ticket is one of
--   w;<arrived>;<widens>;<strict>;<node>;<device>;<band>;<languages>;<interests>;<meets>;<avoid>
--              waiting; lists are ',a,b,' or ','; arrived and widens in microseconds
--   m;<match>  claimed by a match
--   x          closed: a late duplicate of join must not queue it again
local WAITING = '^w;(%d+);(%d+);(%d);([^;]*);([^;]*);(%d+);([^;]*);([^;]*);([^;]*);([^;]*)$'

-- waiting returns the ticket that a record describes, or nil unless it waits.
local function waiting(id, record)
  local arrived, widens, strict, node, device, band, languages, interests, meets, avoid = match(record, WAITING)
  if not arrived then return nil end
  return {
    id = id, record = record, arrived = tonumber(arrived), widens = tonumber(widens), strict = strict == '1',
    node = node, device = device, band = band,
    languages = languages, interests = interests, meets = meets, avoid = avoid,
  }
end

-- over says that a ticket may not be matched any more: its node died, or it waited too long.
local function over(ticket)
  return not alive(ticket.node) or now - ticket.arrived >= LONGEST
end

-- stands calls visit(language, interest, since) for each pool the ticket stands in or will stand in.
local function stands(ticket, visit)
  local arrived, widens, open = ticket.arrived, ticket.widens, ticket.interests == ','
  local later, anything = 0, open and 0 or widens
  for language in gmatch(ticket.languages, '[^,]+') do
    for interest in gmatch(ticket.interests, '[^,]+') do visit(language, interest, arrived + later) end
    if open or not ticket.strict then visit(language, 'any', arrived + anything) end
    if ticket.strict then return end
    later, anything = 2 * widens, 2 * widens
  end
end

local function unqueue(ticket)
  stands(ticket, function(language, interest)
    call('ZREM', format(POOL, language, interest, ticket.band), ticket.id)
  end)
end

local function close(id) call('SET', format(TICKET, id), 'x', 'PX', TOMBSTONE_TTL) end

-- drop takes out a ticket that is over. Should its node only have been slow, its owner may queue
-- the same ticket again; one that waited too long is closed.
local function drop(ticket)
  unqueue(ticket)
  if alive(ticket.node) then
    close(ticket.id)
  else
    call('DEL', format(TICKET, ticket.id))
  end
end

-- A match is its fields in this order, each followed by ';'. Side a is who arrived first.
-- state: offered, a or b (that side has confirmed), live, aborted.
local FIELDS = {
  'state', 'language', 'shared', 'made', 'deadline',
  'a_ticket', 'a_node', 'a_device', 'a_arrived', 'a_language', 'a_interest',
  'b_ticket', 'b_node', 'b_device', 'b_arrived', 'b_language', 'b_interest',
}

local function read_match(id)
  local record = call('GET', format(MATCH, id))
  if not record then return nil end
  local pair, i = {}, 0
  for value in gmatch(record, '([^;]*);') do
    i = i + 1
    pair[FIELDS[i]] = value
  end
  return pair
end

local function write_match(id, pair)
  local values = {}
  for i = 1, #FIELDS do values[i] = pair[FIELDS[i]] end
  local record = table.concat(values, ';') .. ';'
  call('SET', format(MATCH, id), record, 'PX', MATCH_TTL)
  return record
end

-- side_of returns which side of the match a ticket is, and which the other; nil if neither.
local function side_of(pair, ticket)
  if pair.a_ticket == ticket then return 'a', 'b' end
  if pair.b_ticket == ticket then return 'b', 'a' end
  return nil
end

-- tell puts an event into a node's inbox. from = the node that caused it.
local function tell(node, event, id, ticket, from, detail)
  local inbox = format(INBOX, node)
  call('XADD', inbox, 'MAXLEN', '~', 10000, '*', 'event', event, 'match', id, 'ticket', ticket, 'from', from, 'detail', detail)
  call('PEXPIRE', inbox, INBOX_TTL)
end
