-- Put before confirm and abort, after common.lua.

-- A match is its fields in this order, each followed by ';'; join writes it. Side a arrived first.
-- state: offered, a or b (that side has confirmed), live, aborted.
local FIELDS = {
  'state', 'language', 'shared', 'made', 'deadline',
  'a_ticket', 'a_node', 'a_device', 'a_arrived', 'a_language', 'a_interest',
  'b_ticket', 'b_node', 'b_device', 'b_arrived', 'b_language', 'b_interest',
}

local function read_match(id)
  local record = call('GET', match_key(id))
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
  call('SET', match_key(id), record, 'PX', MATCH_TTL)
  return record
end

-- side_of returns which side of the match a ticket is, and which the other; nil if neither.
local function side_of(pair, ticket)
  if pair.a_ticket == ticket then return 'a', 'b' end
  if pair.b_ticket == ticket then return 'b', 'a' end
  return nil
end

