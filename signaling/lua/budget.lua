-- budget: may somebody search? If all budgets allow it, it is counted against each.
--
-- A key holds when its whole burst will be there again, in microseconds by the clock of the store, and
-- lives until then.
--
-- KEYS  one for each budget
-- ARGV  for each budget: microseconds until one more search, how many in a row
-- Result: microseconds to wait, 0 when it was counted; and which budget says so
-- Complexity: constant.

local call = redis.call
local time = call('TIME')
local now = time[1] * 1000000 + time[2]
local free = {}
for i, key in ipairs(KEYS) do
  local every, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  free[i] = math.max(now, tonumber(call('GET', key) or 0)) + every
  local wait = free[i] - now - burst * every
  if wait > 0 then return {math.ceil(wait), i} end
end
for i, key in ipairs(KEYS) do
  call('SET', key, string.format('%.0f', free[i]), 'PX', math.ceil((free[i] - now) / 1000))
end
return {0, 0}
