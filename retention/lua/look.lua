-- Reads what was counted last. When that is too long ago it also lets whoever asks count anew, and nobody
-- else meanwhile. Counts or a lease that would live longer than declared are nobody's: they are written over.
-- KEYS[1]  the counts
-- KEYS[2]  the lease of the node that counts
-- ARGV[1]  lifetime of the counts in ms; ARGV[2] how long they are new, in ms
-- ARGV[3]  token of whoever asks, '' to read only; ARGV[4] lifetime of the lease in ms
-- Result   {1 when whoever asks is to count, else 0; the counts or ''}
-- O(1)
local text = redis.call('GET', KEYS[1]) or ''
local left, most = redis.call('PTTL', KEYS[1]), tonumber(ARGV[1])
if ARGV[3] == '' or left > most - tonumber(ARGV[2]) and left <= most then return {0, text} end
local held = redis.call('PTTL', KEYS[2])
if held >= 0 and held <= tonumber(ARGV[4]) then return {0, text} end
local taken = redis.pcall('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
return {taken.err and 0 or 1, text} -- a server that takes no writes tells what it has
