-- Put before confirm and abort, after common.lua.

-- A match is
--   <state>;<language>;<shared>;<made>;<deadline>;<side a>;<side b>
--     state: offered, a or b (that side has confirmed), live, aborted; shared = interests, 'x,y'
-- and a side, of which a arrived first, is
--   <ticket>;<node>;<arrived>;<waits>
--     waits as in a ticket; join writes all this, and no device: a match says nothing of who met
local SIDE = ';([^;]*);([^;]*);(%d+);([^;]*)'
local MATCH = '^(%a+)(;[^;]*;[^;]*;(%d+);(%d+)' .. SIDE .. SIDE .. ')$'

-- read_match returns the match as the ticket sees it; nil if there is none with that ticket.
local function read_match(ticket)
  local state, rest, made, deadline, a_ticket, a_node, a_arrived, a_waits, b_ticket, b_node, b_arrived, b_waits =
    match(call('GET', KEYS[1]) or '', MATCH)
  if not state then return nil end
  local pair = {state = state, rest = rest, made = made, deadline = tonumber(deadline)}
  local a = {name = 'a', ticket = a_ticket, node = a_node, arrived = a_arrived, waits = a_waits}
  local b = {name = 'b', ticket = b_ticket, node = b_node, arrived = b_arrived, waits = b_waits}
  if a.ticket == ticket then
    pair.mine, pair.other = a, b
    return pair
  end
  if b.ticket == ticket then
    pair.mine, pair.other = b, a
    return pair
  end
  return nil
end

-- become changes the state of the match.
local function become(pair, state) call('SET', KEYS[1], state .. pair.rest, 'PX', MATCH_TTL) end
