-- Put before every other script, after what Go writes from the catalogue of retention: the functions
-- ticket_key, pool_key, match_key, lease_key, inbox_key, waits_key; TICKET_TTL and so on, and
-- TOMBSTONE, in milliseconds; LONGEST in microseconds. All keys share one hash tag, so every script
-- stays in one slot of a cluster.

local call, find, match, gmatch = redis.call, string.find, string.match, string.gmatch

-- The only clock, in microseconds: exact order, and below 2^53 until the year 2255.
local time = call('TIME')
local now = time[1] * 1000000 + time[2]

-- The engines write large numbers differently, and small ones slowly: numbers go out as strings.
local function digits(number) return string.format('%.0f', number) end
local NOW = digits(now)

-- A node is alive until the deadline that it wrote into the leases.
local deadlines = {}
local function alive(node)
  local deadline = deadlines[node]
  if not deadline then
    deadline = tonumber(call('HGET', lease_key(), node) or '0')
    deadlines[node] = deadline
  end
  return deadline > now
end

-- A ticket is one of
--   w;<arrived>;<widens>;<strict>;<node>;<device>;<band>;<languages>;<interests>;<sample>;<meets>;<avoid>
--              waiting; lists are ',a,b,' or ','; arrived and widens in microseconds; sample = the
--              interest under which its wait will be recorded
--   m;<match>  claimed by a match
--   x          closed: a late duplicate of join must not queue it again
local WAITING = '^w;(%d+);(%d+);(%d);([^;]*);([^;]*);(%d+);([^;]*);([^;]*);([^;]*);([^;]*);()'

-- waiting returns the ticket that a record describes, or nil unless it waits. The list of devices to
-- avoid may be long: it stays in the record, from avoid on.
local function waiting(id, record)
  local arrived, widens, strict, node, device, band, languages, interests, sample, meets, avoid =
    match(record, WAITING)
  if not arrived then return nil end
  return {
    id = id, record = record, arrived = tonumber(arrived), arrived_text = arrived,
    widens = tonumber(widens), strict = strict == '1', node = node, device = device, band = band,
    languages = languages, interests = interests, sample = sample, meets = meets, avoid = avoid,
  }
end

local function avoids(ticket, device) return find(ticket.record, ',' .. device .. ',', ticket.avoid, true) end

-- over says that a ticket may not be matched any more: its node died, or it waited too long.
local function over(ticket)
  return not alive(ticket.node) or now - ticket.arrived >= LONGEST
end

-- places returns the keys of the pools in which a ticket stands or will stand, were it of that band;
-- near: it stands in so many from its arrival; first: the pools up to here, one at most, are those
-- that it comes to after widens, and all beyond after twice that. Each language has first pools.
local function places(ticket, band)
  local interests, open, strict = ticket.interests, ticket.interests == ',', ticket.strict
  local keys, n, first = {}, 0, nil
  for language in gmatch(ticket.languages, '[^,]+') do
    for interest in gmatch(interests, '[^,]+') do
      n = n + 1
      keys[n] = pool_key(language, interest, band)
    end
    if open or not strict then
      n = n + 1
      keys[n] = pool_key(language, 'any', band)
    end
    first = first or n
    if strict then break end
  end
  return keys, (open or strict) and first or first - 1, first
end

local function unqueue(ticket)
  local id, keys = ticket.id, places(ticket, ticket.band)
  for i = 1, #keys do call('ZREM', keys[i], id) end
end

local function close(id) call('SET', ticket_key(id), 'x', 'PX', TOMBSTONE) end

-- drop takes out a ticket that is over. Should its node only have been slow, its owner may queue
-- the same ticket again; one that waited too long is closed.
local function drop(ticket)
  unqueue(ticket)
  if alive(ticket.node) then
    close(ticket.id)
  else
    call('DEL', ticket_key(ticket.id))
  end
end

-- tell puts an event into a node's inbox. from = the node that caused it.
local function tell(node, event, match_id, ticket, from, detail)
  local inbox = inbox_key(node)
  call('XADD', inbox, 'MAXLEN', '~', '10000', '*',
    'event', event .. ';' .. match_id .. ';' .. ticket .. ';' .. from .. ';' .. detail)
  call('PEXPIRE', inbox, INBOX_TTL)
end
