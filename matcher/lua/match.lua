-- Put before confirm and abort, after common.lua.

-- A match is kept in the ticket that made it, under whose name it goes:
--   <state>;<language>;<shared>;<made>;<deadline>;<side a>;<side b>
--     state: o offered; a or b, that side has confirmed; l live; aborted: P in time, or O, A or B after
--     the deadline, when it was o, a or b. So whoever asks later, each side hears the same;
--     shared = interests, one letter each
-- and a side, of which a arrived first, is
--   <ticket>;<node>;<arrived>;<waits>
--     waits as in a ticket; join writes all this, and no device: a match says nothing of who met
local SIDE = ';([^;]*);([^;]*);(%d+);([^;]*)'
local MATCH = '^(%a)(;[^;]*;[^;]*;(%d+);(%d+)' .. SIDE .. SIDE .. ')$'

-- read_match returns the match as the ticket sees it; nil if there is none with that ticket.
local function read_match(ticket)
  local state, rest, made, deadline, a_ticket, a_node, a_arrived, a_waits, b_ticket, b_node, b_arrived, b_waits =
    match(call('GET', KEYS[1]) or '', MATCH)
  if not state then return nil end
  local pair = {
    state = state, rest = rest, made = made, deadline = tonumber(deadline),
    aborted = find(state, '[POAB]'),
  }
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
local function become(pair, state) call('SET', KEYS[1], state .. pair.rest, 'PX', TOMBSTONE) end

-- abort closes both tickets. The one that holds the match is closed by its state.
local function abort(pair, id, state)
  become(pair, state)
  for _, side in ipairs({pair.mine, pair.other}) do
    if side.ticket ~= id then close(side.ticket) end
  end
end

-- why is what the other side of an aborted match is told: 'late' if it was that side that did not
-- confirm until the deadline, or else 'peer'.
local function why(state, other) return (state == 'P' or state == string.upper(other)) and 'peer' or 'late' end
