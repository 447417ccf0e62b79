-- Put before the scripts that end a search, after common.lua.

-- remember notes how long a search took, for the estimate: milliseconds, and behind them '+' if it was
-- given up after so long. A long list is trimmed and given its lifetime only now and then; it never
-- holds more than 100. (estimate.go reads it.)
local function remember(waits, micros, given_up)
  local call, key = redis.call, WAITS_KEY .. waits
  local length = call('LPUSH', key, string.format('%d', math.floor(micros / 1000)) .. given_up)
  if length <= 10 or length % 10 == 1 then call('PEXPIRE', key, WAITS_TTL) end
  if length >= 100 then call('LTRIM', key, '0', '79') end
end

