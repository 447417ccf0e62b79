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
local BURY = 128          -- dead tickets taken out of a pool
local STEPS = 512         -- entries passed, the same ticket in several pools counted each time
local WINDOW = 2000000    -- within this of the oldest, more shared interests win
local WINDOW_EXAMINE = 4  -- tickets looked at for that
local OWN = 3             -- after which key the pools of my own band stand

local id, match_id, band = ARGV[1], ARGV[2], ARGV[5]
local places, near, first = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local node, device, avoid = ARGV[9], ARGV[10], ARGV[16]

local arrived, widens = tonumber(ARGV[3]), ARGV[13]
if arrived == 0 or arrived > now then arrived = now end
local stored, rest = call('GET', KEYS[1]), nil
if stored then
  if stored == 'x' then return {'closed', NOW} end
  local kept, _
  kept, _, _, _, _, rest = match(stored, WAITING)
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
  call('SET', KEYS[1], 'x', 'PX', TOMBSTONE)
  return {'closed', NOW}
end
if not alive(node) then return {'lease', NOW} end

-- In a pool in which I stand by now I may meet everybody; in one that I have yet to come to, those
-- who stand there by now.
local first_since, other_since = arrived + widens, arrived + 2 * widens
local first_reach = first_since <= now and math.huge or now
local other_reach = other_since <= now and math.huge or now

local exists = {}               -- which of the pools of my own band there are
local wanted, most              -- my interests as ',interest,', and how many, once needed
local seen = {[id] = 'met'}     -- or 'over': may not be matched any more
local examined, buried, steps = 0, 0, 0
local best                      -- the best so far
local last, extra               -- until when one that shares more is better, and how many were looked at for that

for block = 17, #ARGV do
  -- A head is a pool's first entry not yet passed.
  local after = tonumber(ARGV[block])
  local heads, n = {}, 0
  for place = 1, places do
    local key = KEYS[after + place]
    local page = call('ZRANGE', key, '0', '1', 'WITHSCORES')
    local since = page[2]
    if since then
      if after == OWN then exists[place] = true end
      since = tonumber(since)
      local reach = place <= near and math.huge or place <= first and first_reach or other_reach
      if since <= reach then
        n = n + 1
        heads[n] = {key = key, page = page, at = 1, full = 4, since = since, reach = reach, rank = 0}
      end
    end
  end

  -- Pass the entries of all these pools, who stands longest first.
  while n > 0 and examined < EXAMINE and buried < BURY and steps < STEPS do
    steps = steps + 1
    local nearest = 1
    for i = 2, n do
      if heads[i].since < heads[nearest].since then nearest = i end
    end
    local head = heads[nearest]
    if best and head.since > last then break end
    local other = head.page[head.at]
    local fate = seen[other]
    if not fate then
      local record = call('GET', TICKET_KEY .. other)
      local other_arrived, other_node, other_device, meets, interests, other_rest = match(record or '', WAITING)
      if not other_arrived or over(other_node, other_arrived) then
        fate = 'over'
      else
        fate = 'met'
        examined = examined + 1
        if best then extra = extra + 1 end
        if other_device ~= device
          and find(meets, band, 1, true)
          and not avoids(avoid, 1, other_device)
          and not avoids(record, other_rest, device)
        then
          if not wanted then
            wanted, most = {}, 0
            for interest in gmatch(ARGV[12], '[^,]+') do
              most = most + 1
              wanted[most] = ',' .. interest .. ','
            end
          end
          local shared = 0
          for i = 1, most do
            if find(interests, wanted[i], 1, true) then shared = shared + 1 end
          end
          if not best then last, extra = head.since + WINDOW, 0 end
          if not best or shared > best.shared then
            best = {
              id = other, record = record, rest = other_rest, shared = shared, pool = head.key,
              arrived = other_arrived, node = other_node, interests = interests,
            }
          end
        end
        if best and (best.shared == most or extra == WINDOW_EXAMINE) then break end
      end
      seen[other] = fate
    end
    -- Who is over leaves this pool, so the rank of what comes next stays. Its owner, should it only
    -- have been slow, puts it back by a repeat; sweep does the rest.
    if fate == 'over' then
      call('ZREM', head.key, other)
      buried = buried + 1
    else
      head.rank = head.rank + 1
    end
    local page, at = head.page, head.at + 2
    if not page[at] and #page == head.full then
      page, at = call('ZRANGE', head.key, digits(head.rank), digits(head.rank + 7), 'WITHSCORES'), 1
      head.page, head.full = page, 16
    end
    head.at, head.since = at, tonumber(page[at + 1] or math.huge)
    if not page[at] or head.since > head.reach then
      table.remove(heads, nearest)
      n = n - 1
    end
  end
  if best then break end
end
local arrived_text = arrived == now and NOW or digits(arrived)

if best then
  local waits = unqueue(best.id, best.record, best.rest)
  if stored then unqueue(id, stored, rest) end
  local claimed = 'm;' .. match_id
  call('SET', TICKET_KEY .. best.id, claimed, 'KEEPTTL')
  call('SET', KEYS[1], claimed, 'PX', TOMBSTONE)
  local shared = ''
  for _, interest in ipairs(wanted) do
    if find(best.interests, interest, 1, true) then
      shared = shared .. string.sub(interest, shared == '' and 2 or 1, -2)
    end
  end
  local mine = id .. ';' .. node .. ';' .. arrived_text .. ';' .. ARGV[14]
  local theirs = best.id .. ';' .. best.node .. ';' .. best.arrived .. ';' .. waits
  local since = tonumber(best.arrived)
  local late = since < arrived or (since == arrived and best.id < id)
  local record = 'offered;' .. match(best.pool, '^[^:]+', #POOL_KEY + 1) .. ';' .. shared
    .. ';' .. NOW .. ';' .. digits(now + ARGV[4]) .. ';' .. (late and theirs or mine) .. ';' .. (late and mine or theirs)
  call('SET', KEYS[3], record, 'PX', MATCH_TTL) -- match.lua says what it is
  tell(best.node, 'offer', match_id, best.id, node, record)
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
