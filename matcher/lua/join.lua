-- join: claim the oldest compatible ticket, or queue. The same ticket may join again at any time:
-- that is how its owner repairs what was lost and pairs two who both ripened while waiting.
--
-- KEYS  1 the ticket   2 the leases
-- ARGV  1 ticket   2 id for the match, should one come about   3 arrived in microseconds, 0 = now
--       4 time to confirm in microseconds
--       5 the fields of a waiting ticket from widens on, see common.lua
-- Result {'waiting', now, arrived, widens} | {'offered', now, match, record, 'new' or 'old'}
--       | {'closed', now} | {'lease', now}: this node's lease ran out, renew it and ask again
-- Complexity: log n for each of its pools, and at most EXAMINE tickets read, whatever n is.

local EXAMINE = 48        -- living but incompatible tickets looked at
local BURY = 128          -- dead tickets dropped
local STEPS = 512         -- entries passed, the same ticket in several pools counted each time
local WINDOW = 2000000    -- within this of the oldest, more shared interests win
local WINDOW_EXAMINE = 4  -- tickets looked at for that

local id, match_id = ARGV[1], ARGV[2]
local stored = call('GET', KEYS[1])
if stored == 'x' then return {'closed', NOW} end
if stored and string.sub(stored, 1, 2) == 'm;' then -- the same answer however often it is asked
  local claimed = string.sub(stored, 3)
  local record = call('GET', match_key(claimed))
  if not record then return {'closed', NOW} end
  return {'offered', NOW, claimed, record, 'old'}
end

local arrived = tonumber(ARGV[3])
if arrived == 0 or arrived > now then arrived = now end
local me = waiting(id, stored or ('w;' .. digits(arrived) .. ';' .. ARGV[5]))
if now - me.arrived >= LONGEST then
  if stored then unqueue(me) end
  close(id)
  return {'closed', NOW}
end
if not alive(me.node) then return {'lease', NOW} end

local function shared_with(other)
  local shared = {}
  for interest in gmatch(me.interests, '[^,]+') do
    if find(other.interests, ',' .. interest .. ',', 1, true) then shared[#shared + 1] = interest end
  end
  return shared
end
local _, most = string.gsub(me.interests, ',', ',')
most = most - 1

local my_band = ',' .. me.band .. ','
local function compatible(other)
  return other.device ~= me.device
    and not avoids(me, other.device)
    and not avoids(other, me.device)
    and find(other.meets, my_band, 1, true)
end

-- I stand in my first places from arrival, in the next from widens on, in all others from twice
-- that. In a pool in which I stand by now I may meet everybody; in one that I have yet to come to,
-- those who stand there by now. near and first are as places returns them.
local steps_at = {me.arrived, me.arrived + me.widens, me.arrived + 2 * me.widens}
local score, limit = {}, {}
for step, at in ipairs(steps_at) do
  score[step] = digits(at)
  limit[step] = at <= now and '+inf' or NOW
end
local function step_of(i, near, first)
  return i <= near and 1 or i <= first and 2 or 3
end
local function spoken(i, first)
  for language in gmatch(me.languages, '[^,]+') do
    if i <= first then return language end
    i = i - first
  end
end

-- heads_of returns the first entry of each of my pools.
local function heads_of(keys, near, first)
  local heads, n = {}, 0
  for i = 1, #keys do
    local most = limit[step_of(i, near, first)]
    local page = call('ZRANGEBYSCORE', keys[i], '-inf', most, 'WITHSCORES', 'LIMIT', '0', '2')
    if page[1] then
      n = n + 1
      heads[n] = {
        key = keys[i], place = i, limit = most,
        page = page, at = 1, last = #page < 4, since = tonumber(page[2]), kept = 0,
      }
    end
  end
  return heads
end

-- oldest returns the index of the head that stands longest.
local function oldest(heads)
  local best = 1
  for i = 2, #heads do
    if heads[i].since < heads[best].since then best = i end
  end
  return best
end

-- advance moves a head to its pool's next entry; false at the end. Entries that were removed from
-- the pool do not count for the offset.
local function advance(head, removed)
  if not removed then head.kept = head.kept + 1 end
  head.at = head.at + 2
  if not head.page[head.at] then
    if head.last then return false end
    head.page = call('ZRANGEBYSCORE', head.key, '-inf', head.limit, 'WITHSCORES', 'LIMIT', digits(head.kept), '8')
    head.at, head.last = 1, #head.page < 16
    if not head.page[1] then return false end
  end
  head.since = tonumber(head.page[head.at + 1])
  return true
end

local examined, buried, steps = 0, 0, 0
local seen = {[id] = true}

-- examine returns the ticket of an entry if it lives and was not examined before, and whether the
-- entry was removed.
local function examine(head)
  local other_id = head.page[head.at]
  if seen[other_id] then return nil, seen[other_id] == 'gone' end
  local record = call('GET', ticket_key(other_id))
  local other = record and waiting(other_id, record)
  if not other then
    call('ZREM', head.key, other_id)
    buried = buried + 1
    return nil, true
  end
  if over(other) then
    drop(other)
    seen[other_id] = 'gone'
    buried = buried + 1
    return nil, true
  end
  seen[other_id] = true
  examined = examined + 1
  return other, false
end

-- choose returns {ticket, shared, place}: the oldest compatible one in some pools, or one that stands
-- almost as long and shares more interests.
local function choose(heads)
  local best, last, extra = nil, nil, 0
  while #heads > 0 and examined < EXAMINE and buried < BURY and steps < STEPS do
    steps = steps + 1
    local i = oldest(heads)
    local head = heads[i]
    if best and head.since > last then break end
    local other, removed = examine(head)
    if other then
      if best then extra = extra + 1 end
      if compatible(other) then
        local shared = shared_with(other)
        if not best then last = head.since + WINDOW end
        if not best or #shared > #best.shared then
          best = {ticket = other, shared = shared, place = head.place}
        end
      end
      if best and (#best.shared == most or extra == WINDOW_EXAMINE) then break end
    end
    if not advance(head, removed) then table.remove(heads, i) end
  end
  return best
end

local own_keys, own_near, own_first = places(me, me.band)
local found
for band in gmatch(me.meets, '[^,]+') do
  if band == me.band then
    found = choose(heads_of(own_keys, own_near, own_first))
  else
    found = choose(heads_of(places(me, band)))
  end
  if found then break end
end

local function claim(ticket) call('SET', ticket_key(ticket.id), 'm;' .. match_id, 'PX', TOMBSTONE) end

if found then
  local other = found.ticket
  unqueue(other)
  if stored then unqueue(me) end
  claim(other)
  claim(me)
  local a, b = other, me
  if me.arrived < other.arrived or (me.arrived == other.arrived and me.id < other.id) then a, b = me, other end
  local record = 'offered;' .. spoken(found.place, own_first) .. ';' .. table.concat(found.shared, ',')
    .. ';' .. NOW .. ';' .. digits(now + ARGV[4])
    .. ';' .. a.id .. ';' .. a.node .. ';' .. a.device .. ';' .. a.arrived_text
    .. ';' .. match(a.languages, '[^,]+') .. ';' .. a.sample
    .. ';' .. b.id .. ';' .. b.node .. ';' .. b.device .. ';' .. b.arrived_text
    .. ';' .. match(b.languages, '[^,]+') .. ';' .. b.sample .. ';' -- match.lua names these
  call('SET', match_key(match_id), record, 'PX', MATCH_TTL)
  tell(other.node, 'offer', match_id, other.id, me.node, record)
  return {'offered', NOW, match_id, record, 'new'}
end

-- Queue, or put back what a half-lost Redis forgot: the same scores, so nothing changes otherwise.
for i = 1, #own_keys do
  call('ZADD', own_keys[i], score[step_of(i, own_near, own_first)], id)
  call('PEXPIRE', own_keys[i], POOL_TTL)
end
if not stored then
  local left = math.ceil((me.arrived + LONGEST - now) / 1000)
  call('SET', KEYS[1], me.record, 'PX', digits(left + TOMBSTONE))
end
return {'waiting', NOW, me.arrived_text, digits(me.widens)}
