-- join: claim the oldest compatible ticket, or queue. The same ticket may join again at any time:
-- that is how its owner repairs what was lost and pairs two who both ripened while waiting.
--
-- KEYS  1 the ticket   2 the leases   3 the match, should one come about
--       4 and on: the pools of my places in my own band; then those in each other band that I may meet
-- ARGV  1 ticket   2 id for the match   3 arrived in microseconds, 0 = now
--       4 time to confirm in microseconds   5 my band as ',band,'
--       6 number of my places   7 near   8 first: I stand in places up to near from my arrival, up to
--         first after widens, and in all others after twice that
--       9 to 16 the fields of a waiting ticket from node on, see ticket.lua
--       17 and on: for each band that I may meet, the preferred first, after which key its pools stand
-- Result {'waiting', now, arrived, widens} | {'offered', now, match, record, 'new' or 'old'}
--       | {'closed', now} | {'lease', now}: this node's lease ran out, renew it and ask again
-- Complexity: log n for each of its pools, and at most EXAMINE tickets read, whatever n is.

local EXAMINE = 48        -- living but incompatible tickets looked at
local BURY = 128          -- dead tickets dropped
local STEPS = 512         -- entries passed, the same ticket in several pools counted each time
local WINDOW = 2000000    -- within this of the oldest, more shared interests win
local WINDOW_EXAMINE = 4  -- tickets looked at for that
local OWN = 3             -- after which key the pools of my own band stand

local id, match_id, band = ARGV[1], ARGV[2], ARGV[5]
local places, near, first = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local node, device, interests, avoid = ARGV[9], ARGV[10], ARGV[12], ARGV[16]

local arrived, widens = tonumber(ARGV[3]), ARGV[13]
if arrived == 0 or arrived > now then arrived = now end
local stored, rest = call('GET', KEYS[1]), nil
if stored then
  if stored == 'x' then return {'closed', NOW} end
  local kept, _
  kept, _, _, _, _, rest = waiting(stored)
  if not kept then -- claimed: the same answer however often it is asked
    local claimed = string.sub(stored, 3)
    local record = call('GET', MATCH_KEY .. claimed)
    if not record then return {'closed', NOW} end
    return {'offered', NOW, claimed, record, 'old'}
  end
  arrived, widens = tonumber(kept), match(stored, REST, rest)
end
if now - arrived >= LONGEST then
  if stored then unqueue(id, stored, rest) end
  close(id)
  return {'closed', NOW}
end
if not alive(node) then return {'lease', NOW} end

-- In a pool in which I stand by now I may meet everybody; in one that I have yet to come to, those
-- who stand there by now.
local function reach(since) return since <= now and math.huge or now end
local first_since, other_since = arrived + widens, arrived + 2 * widens
local first_reach, other_reach = reach(first_since), reach(other_since)

local wanted, most = {}, 0 -- my interests as ',interest,'
for interest in gmatch(interests, '[^,]+') do
  most = most + 1
  wanted[most] = ',' .. interest .. ','
end

-- advance moves a head to its pool's next entry within reach; false at the end. Entries that were
-- removed from the pool do not count for the rank.
local function advance(head, removed)
  if not removed then head.rank = head.rank + 1 end
  head.at = head.at + 2
  local page = head.page
  if not page[head.at] then
    if #page < head.full then return false end
    page = call('ZRANGE', head.key, digits(head.rank), digits(head.rank + 7), 'WITHSCORES')
    head.page, head.at, head.full = page, 1, 16
    if not page[1] then return false end
  end
  head.since = tonumber(page[head.at + 1])
  return head.since <= head.reach
end

local exists = {} -- which of the pools of my own band there are
local examined, buried, steps = 0, 0, 0
local seen = {[id] = 'met'} -- or 'gone': dropped, and removed from all pools

-- search returns the best in the pools after some key: the oldest compatible ticket, or one that
-- stands almost as long and shares more interests. A head is a pool's first entry not yet passed.
local function search(after)
  local heads, n = {}, 0
  for place = 1, places do
    local key = KEYS[after + place]
    local page = call('ZRANGE', key, '0', '1', 'WITHSCORES')
    if page[1] then
      if after == OWN then exists[place] = true end
      local since = tonumber(page[2])
      local limit = place <= near and math.huge or place <= first and first_reach or other_reach
      if since <= limit then
        n = n + 1
        heads[n] = {key = key, page = page, at = 1, full = 4, since = since, reach = limit, rank = 0}
      end
    end
  end

  local best, last, extra = nil, nil, 0
  while n > 0 and examined < EXAMINE and buried < BURY and steps < STEPS do
    steps = steps + 1
    local i = 1
    for j = 2, n do
      if heads[j].since < heads[i].since then i = j end
    end
    local head = heads[i]
    if best and head.since > last then break end
    local other = head.page[head.at]
    local fate = seen[other]
    local removed = fate == 'gone'
    if not fate then
      local record = call('GET', TICKET_KEY .. other)
      local other_arrived, other_node, other_device, meets, other_interests, other_rest = waiting(record)
      if not other_arrived then
        call('ZREM', head.key, other)
        buried, removed = buried + 1, true
      elseif over(other_node, other_arrived) then
        drop(other, other_node, record, other_rest)
        seen[other] = 'gone'
        buried, removed = buried + 1, true
      else
        seen[other] = 'met'
        examined = examined + 1
        if best then extra = extra + 1 end
        if other_device ~= device
          and find(meets, band, 1, true)
          and not avoids(avoid, 1, other_device)
          and not avoids(record, other_rest, device)
        then
          local shared = 0
          for k = 1, most do
            if find(other_interests, wanted[k], 1, true) then shared = shared + 1 end
          end
          if not best then last = head.since + WINDOW end
          if not best or shared > best.shared then
            best = {
              id = other, record = record, rest = other_rest, shared = shared, pool = head.key,
              arrived = other_arrived, node = other_node, device = other_device, interests = other_interests,
            }
          end
        end
        if best and (best.shared == most or extra == WINDOW_EXAMINE) then break end
      end
    end
    if not advance(head, removed) then
      table.remove(heads, i)
      n = n - 1
    end
  end
  return best
end

local found
for i = 17, #ARGV do
  found = search(tonumber(ARGV[i]))
  if found then break end
end
local arrived_text = arrived == now and NOW or digits(arrived)

if found then
  unqueue(found.id, found.record, found.rest)
  if stored then unqueue(id, stored, rest) end
  local claimed = 'm;' .. match_id
  call('SET', TICKET_KEY .. found.id, claimed, 'PX', TOMBSTONE)
  call('SET', KEYS[1], claimed, 'PX', TOMBSTONE)
  local shared = {}
  for _, word in ipairs(wanted) do
    if find(found.interests, word, 1, true) then shared[#shared + 1] = string.sub(word, 2, -2) end
  end
  local _, waits = match(found.record, REST, found.rest)
  local mine = id .. ';' .. node .. ';' .. device .. ';' .. arrived_text .. ';' .. ARGV[14]
  local theirs = found.id .. ';' .. found.node .. ';' .. found.device .. ';' .. found.arrived .. ';' .. waits
  local since = tonumber(found.arrived)
  local late = since < arrived or (since == arrived and found.id < id)
  local sides = late and theirs .. ';' .. mine or mine .. ';' .. theirs
  local record = 'offered;' .. match(found.pool, '^[^:]+', #POOL_KEY + 1) .. ';' .. table.concat(shared, ',')
    .. ';' .. NOW .. ';' .. digits(now + ARGV[4]) .. ';' .. sides -- match.lua says what this is
  call('SET', KEYS[3], record, 'PX', MATCH_TTL)
  tell(found.node, 'offer', match_id, found.id, node, record)
  return {'offered', NOW, match_id, record, 'new'}
end

-- Queue, or put back what a half-lost Redis forgot: the same scores, so nothing changes otherwise.
-- A pool gets its lifetime when it may be new, from every repeat, and by the way in one second of 16:
-- so it lives on while anybody waits in it, and a busy one costs no PEXPIRE for each who comes.
local renew = stored or buried > 0 or now % 16000000 < 1000000
local first_score = places > near and digits(first_since)
local other_score = places > first and digits(other_since)
for place = 1, places do
  local key = KEYS[OWN + place]
  call('ZADD', key, place <= near and arrived_text or place <= first and first_score or other_score, id)
  if renew or not exists[place] then call('PEXPIRE', key, POOL_TTL) end
end
if not stored then
  local left = math.ceil((arrived + LONGEST - now) / 1000)
  call('SET', KEYS[1], 'w;' .. arrived_text .. ';' .. table.concat(ARGV, ';', 9, 16), 'PX', digits(left + TOMBSTONE))
end
return {'waiting', NOW, arrived_text, widens}
