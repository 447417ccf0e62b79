-- abort: one side gives the match up, or its time to confirm is over. Both tickets close; their
-- owners queue anew with the old arrival. A live match is not aborted.
--
-- KEYS  1 the match
-- ARGV  1 match   2 ticket of the side that asks   3 how early a timer may fire, in microseconds
-- Result {'aborted', now, 'new', other ticket, other node, why} | {'aborted', now, 'old'}
--       | {'live', now} | {'unknown', now}
--       why = what the other is told: 'peer', unless its own time to confirm is over: 'late'
-- Complexity: constant.

local id, ticket = ARGV[1], ARGV[2]
local pair = read_match(ticket)
if not pair then return {'unknown', NOW} end
if pair.state == 'live' then return {'live', NOW} end
if pair.state == 'aborted' then return {'aborted', NOW, 'old'} end

local other = pair.other
local in_time = now < pair.deadline - ARGV[3]
local why = (pair.state == other.name or in_time) and 'peer' or 'late'
become(pair, 'aborted')
close(ticket)
close(other.ticket)
tell(other.node, 'abort', id, other.ticket, pair.mine.node, why)
return {'aborted', NOW, 'new', other.ticket, other.node, why}
