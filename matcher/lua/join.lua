-- join: claim the oldest compatible ticket, or queue. The same ticket may join again at any time:
-- that is how its owner repairs what was lost and pairs two who both ripened while waiting.
--
-- Several tickets may join in one call, one after the other: much of what a call costs, it costs once.
--
-- KEYS  for each: the ticket; the pools of my places in my own band
-- ARGV  for each two: <near><first><interests><band><places><meets><arrived>, and the wish
--         near, first: I stand in places up to near from my arrival, up to first after widens, and after
--         twice that in all others, once I join again; interests: how many; these and band one digit
--         places: how many, two digits, the first a blank if need be, for one of the engines reads as
--         octal what begins with 0
--         meets: the bands that I may meet, one digit each, the preferred first
--         arrived: in microseconds, 16 digits; a time to come = now. It may be left out: now; and meets
--         with it: my own band only
--         wish: see ticket.lua
-- Result for each one text, for a script pays for each: 'waiting;<now>;<arrived>;<ripe>'
--       | 'offered;<now>;<new or old>;<match>;<record>', as in match.lua
--       | 'closed' | 'lease': this node's lease ran out, renew it and ask again
-- Complexity: log n for each of its pools, at most EXAMINE tickets read, and of the list of another band at most as
-- many names as the call has keys, whatever n is.

-- All bands but CROWD keep a list of their pools in which somebody may stand, for they are mostly empty: a
-- question about it costs less than one for each pool, and the list less than their names in every call. Who
-- queues puts a pool on it, and who finds nobody there takes it off.

-- lists has, for each band that CROWD looked into in this call, the pools on its list, by the name that the pool
-- of CROWD has; false if the list is longer than all that is asked here. One reading serves all who join.
local lists

local function listed(band)
  lists = lists or {}
  local pools = lists[band]
  if pools == nil then
    local call, sub, list = redis.call, string.sub, OCCUPIED_KEY .. band
    local length = call('SCARD', list)
    pools = length <= #KEYS and {}
    if pools and length > 0 then
      for _, pool in ipairs(call('SMEMBERS', list)) do pools[sub(pool, 1, -2) .. CROWD] = pool end
    end
    lists[band] = pools
  end
  return pools
end

-- elsewhere returns the pools of another band in which somebody may stand, by place; nothing if there is
-- none.
local function elsewhere(keys, own, places, standing, band)
  local known = standing == CROWD and listed(band)
  local pools
  if known then
    for place = 1, places do
      local pool = known[keys[own + place]]
      if pool then
        pools = pools or {}
        pools[place] = pool
      end
    end
    return pools
  end
  pools = {}
  local sub = string.sub
  for place = 1, places do pools[place] = sub(keys[own + place], 1, -2) .. band end
  if band ~= CROWD then
    for place, there in ipairs(redis.call('SMISMEMBER', OCCUPIED_KEY .. band, unpack(pools))) do
      if there == 0 then pools[place] = false end
    end
  end
  return pools
end

-- join is for the ticket that is key number own.
local function join(own, terms, wish)
  local EXAMINE = 48        -- living but incompatible tickets looked at
  local BURY = 128          -- dead tickets taken out of a pool
  local STEPS = 512         -- entries passed, the same ticket in several pools counted each time
  local WINDOW = 2000000    -- within this of the oldest, more shared interests win
  local WINDOW_EXAMINE = 4  -- tickets looked at for that
  local EVER = '9'          -- later than all times

  local keys = KEYS
  local mine = keys[own]
  local id = sub(mine, #TICKET_KEY + 1)
  local near, first, most = byte(terms, 1, 3)
  near, first, most = near - 48, first - 48, most - 48
  local places = tonumber(sub(terms, 5, 6))
  local last_choice = #terms <= 16 and #terms or #terms - 16 -- there are ten bands
  local node = sub(wish, FROM_NODE - BEFORE_WISH, TO_NODE - BEFORE_WISH)

  local arrived, at, ripe, ripe_at = NOW, now, nil, nil
  local stored = call('GET', mine)
  if not stored then
    if #terms > last_choice and sub(terms, last_choice + 1) < NOW then
      arrived = sub(terms, last_choice + 1)
      at = tonumber(arrived)
    end
    ripe_at = at + sub(wish, 1, 8)
  elseif waiting(stored) then
    arrived, ripe = sub(stored, FROM_ARRIVED, TO_ARRIVED), sub(stored, FROM_RIPE, TO_RIPE)
    at, ripe_at = tonumber(arrived), tonumber(ripe)
  else
    local made_by = id -- the same answer however often it is asked
    if byte(stored) == 109 then
      made_by = sub(stored, 3)
      stored = call('GET', TICKET_KEY .. made_by)
    end
    if not stored or find(stored, '^[xPOAB]') then return 'closed' end
    return 'offered;' .. NOW .. ';old;' .. made_by .. ';' .. stored
  end
  if now - at >= LONGEST then
    if stored then remember(unqueue(id, stored), LONGEST, '+') end
    call('SET', mine, 'x', 'PX', TOMBSTONE)
    return 'closed'
  end
  if not alive(node) then return 'lease' end

  -- In a pool in which I stand by now I may meet everybody; in one that I have yet to come to, those
  -- who stand there by now.
  local other_at = 2 * ripe_at - at
  local first_reach = ripe_at <= now and EVER or NOW
  local other_reach = other_at <= now and EVER or NOW

  local fronts = {false, false, false, false} -- the first entries of the pools of my own band, '' if there is no such pool
  local device, band, wanted      -- mine as ',device,' and ',band,', and my interests, once needed
  local seen                      -- tickets: 'met', or 'over': may not be matched any more
  local examined, buried, steps = 0, 0, 0
  local best                      -- the record of the best so far
  local best_id, best_pool, best_shared -- shared: one letter each
  local best_since, last, extra   -- of the first that fits: since when it stands; until when one that shares
                                  -- more is better; how many were looked at for that

  local standing = sub(terms, 4, 4)
  for choice = 7, last_choice > 7 and last_choice or 7 do
    -- A head is a pool's first entry not yet passed: since when it stands there, the entries of the pool
    -- as read, which of them it is, and its rank in the pool.
    local theirs = sub(terms, choice, choice)
    local other = theirs ~= '' and theirs ~= standing
    local pools = other and elsewhere(keys, own, places, standing, theirs)
    local heads
    local n = 0
    for place = 1, (pools or not other) and places or 0 do
      local pool = not other and keys[own + place] or pools and pools[place]
      local page = pool and call('ZRANGE', pool, '0', '1') or {}
      local front = page[1]
      if not other then
        fronts[place] = front or ''
      elseif pool and theirs ~= CROWD and (not front or byte(front) == END) then
        call('SREM', OCCUPIED_KEY .. theirs, pool)
        if lists and lists[theirs] then lists[theirs][keys[own + place]] = nil end
      end
      if front and byte(front) ~= END then
        local from = sub(front, 1, FROM_WHO - 1)
        if place <= near or from <= (place <= first and first_reach or other_reach) then
          n = n + 1
          heads = heads or {}
          heads[place] = {from, page, 1, 0}
        end
      end
    end
    seen = seen or n > 0 and {[id] = 'met'}

    -- Pass the entries of all these pools, who stands longest first.
    while n > 0 and examined < EXAMINE and buried < BURY and steps < STEPS do
      steps = steps + 1
      local head, place
      for i = 1, places do
        local next = heads[i]
        if next and (not head or next[1] < head[1]) then head, place = next, i end
      end
      if best then
        last = last or stamp(best_since + WINDOW)
        if head[1] > last then break end
      end
      local pool, page, at = other and pools[place] or keys[own + place], head[2], head[3]
      local other = sub(page[at], FROM_WHO)
      local fate = seen[other]
      if not fate then
        local record = call('GET', TICKET_KEY .. other)
        if not waiting(record) or not alive(sub(record, FROM_NODE, TO_NODE)) or now - sub(record, FROM_ARRIVED, TO_ARRIVED) >= LONGEST then
          fate = 'over'
        else
          fate = 'met'
          examined = examined + 1
          if best then extra = extra + 1 end
          if not device then
            device = ',' .. sub(wish, FROM_DEVICE - BEFORE_WISH, TO_DEVICE - BEFORE_WISH) .. ','
            band = ',' .. standing .. ','
            wanted = sub(wish, FROM_INTERESTS - BEFORE_WISH, TO_INTERESTS - BEFORE_WISH)
          end
          local other_device = ',' .. sub(record, FROM_DEVICE, TO_DEVICE) .. ','
          -- In plain text: no other word of a ticket looks like a band or a device.
          if other_device ~= device
            and find(record, band, FROM_WAITS, true)
            and not find(wish, other_device, FROM_WAITS - BEFORE_WISH, true)
            and not find(record, device, FROM_WAITS, true)
          then
            local theirs, shared = sub(record, FROM_INTERESTS, TO_INTERESTS), ''
            for i = 1, most do
              local letter = sub(wanted, i, i)
              if find(theirs, letter, 1, true) then shared = shared .. letter end
            end
            if not best then best_since, extra = head[1], 0 end
            if not best or #shared > #best_shared then
              best, best_id, best_pool, best_shared = record, other, pool, shared
            end
          end
          if best and (#best_shared == most or extra == WINDOW_EXAMINE) then break end
        end
        seen[other] = fate
      end
      -- Who is over leaves this pool, so the rank of what comes next stays. Its owner, should it only
      -- have been slow, puts it back by a repeat; sweep does the rest.
      if fate == 'over' then
        call('ZREM', pool, page[at])
        buried = buried + 1
      else
        head[4] = head[4] + 1
      end
      at = at + 1
      if not page[at] then
        page, at = call('ZRANGE', pool, string.format('%d', head[4]), string.format('%d', head[4] + 7)), 1
        head[2] = page
      end
      local entry = page[at]
      local from = entry and byte(entry) ~= END and sub(entry, 1, FROM_WHO - 1)
      if from and (place <= near or from <= (place <= first and first_reach or other_reach)) then
        head[1], head[3] = from, at
      else
        heads[place] = nil
        n = n - 1
      end
    end
    if best then break end
  end

  if best then
    local waits = unqueue(best_id, best)
    if stored then unqueue(id, stored) end
    call('SET', TICKET_KEY .. best_id, 'm;' .. id, 'KEEPTTL')
    local since, other_node = sub(best, FROM_ARRIVED, TO_ARRIVED), sub(best, FROM_NODE, TO_NODE)
    local me = id .. ';' .. node .. ';' .. arrived .. ';' .. match(wish, '^[^;]*', FROM_WAITS - BEFORE_WISH)
    local peer = best_id .. ';' .. other_node .. ';' .. since .. ';' .. waits
    local late = since < arrived or (since == arrived and best_id < id)
    local offer = 'o;' .. match(best_pool, '^[^:]+', #POOL_KEY + 1) .. ';' .. best_shared
      .. ';' .. NOW .. ';' .. stamp(now + OFFER) .. ';' .. (late and peer or me) .. ';' .. (late and me or peer)
    call('SET', mine, offer, 'PX', TOMBSTONE) -- match.lua says what it is
    if other_node ~= node then tell(other_node, 'offer', id, best_id, offer) end
    return 'offered;' .. NOW .. ';new;' .. id .. ';' .. offer
  end

  -- Queue, or put back what a half-lost Redis forgot: the same entries, so nothing changes otherwise.
  -- A pool gets its lifetime when it is made, when nobody is there and it was renewed more than 100 s
  -- ago, from every repeat, and by the way in one second of 16: so it lives on while anybody waits in
  -- it, and a busy one costs no PEXPIRE for each who comes.
  local renew = stored or now % 16000000 < 1000000
  local spell = '~' .. sub(NOW, 1, 8)
  ripe = ripe or stamp(ripe_at)
  local wide = places > first and other_reach == EVER
  local entry, last_place = arrived .. id, wide and places or first
  if standing ~= CROWD then
    call('SADD', OCCUPIED_KEY .. standing, unpack(keys, own + 1, own + last_place))
    local known = lists and lists[standing]
    if known then
      for place = 1, last_place do known[sub(keys[own + place], 1, -2) .. CROWD] = keys[own + place] end
    end
    call('PEXPIRE', OCCUPIED_KEY .. standing, OCCUPIED_TTL) -- no sooner than any of the pools
  end
  for place = 1, last_place do
    local pool = keys[own + place]
    local front = fronts[place] or call('ZRANGE', pool, '0', '0')[1] or ''
    if place > near then entry = (place <= first and ripe or stamp(other_at)) .. id end
    if front ~= spell and (front == '' or byte(front) == END) then
      call('ZADD', pool, '0', entry, '0', spell)
      call('PEXPIRE', pool, POOL_TTL)
      if front ~= '' then call('ZREM', pool, front) end
    else
      call('ZADD', pool, '0', entry)
      if renew then call('PEXPIRE', pool, POOL_TTL) end
    end
  end
  if not stored then
    local left = arrived == NOW and TICKET_TTL or string.format('%d', math.ceil((at + LONGEST - now) / 1000) + TOMBSTONE)
    call('SET', mine, (wide and 'W;' or 'w;') .. arrived .. ';' .. ripe .. ';' .. wish, 'PX', left)
  elseif wide and byte(stored) ~= WIDE then
    call('SET', mine, 'W' .. sub(stored, 2), 'KEEPTTL')
  end
  return 'waiting;' .. NOW .. ';' .. arrived .. ';' .. ripe
end

local answers, own = {}, 1
for i = 1, #ARGV, 2 do
  answers[#answers + 1] = join(own, ARGV[i], ARGV[i + 1])
  own = own + 1 + sub(ARGV[i], 5, 6)
end
return answers
