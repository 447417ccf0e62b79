-- abort: one side gives the match up, or its time to confirm is over. Both tickets close; their
-- owners queue anew with the old arrival. A live match is not aborted.
--
-- KEYS  1 the ticket that holds the match
-- ARGV  1 match   2 ticket of the side that asks   3 how early a timer may fire, in microseconds
-- Result {'aborted', now, other ticket, other node, why}: now or already before
--       | {'live', now} | {'unknown', now}
--       why = what the other is told: 'peer', unless its own time to confirm is over: 'late'
-- Complexity: constant.

local id, ticket = ARGV[1], ARGV[2]
local pair = read_match(ticket)
if not pair then return {'unknown', NOW} end
if pair.state == 'l' then return {'live', NOW} end
local other = pair.other
if pair.aborted then return {'aborted', NOW, other.ticket, other.node, why(pair.state, other.name)} end

local in_time = now < pair.deadline - ARGV[3]
local state = in_time and 'P' or string.upper(pair.state)
abort(pair, id, state)
local reason = why(state, other.name)
if other.node ~= pair.mine.node then tell(other.node, 'abort', id, other.ticket, reason) end
return {'aborted', NOW, other.ticket, other.node, reason}
