-- Reads what is kept about some devices, with the reports themselves, in one step. Most devices have no
-- record, so for those it does nothing but ask.
-- KEYS     for each device the records that it may have
-- ARGV[1]  format of the key of a record: mark; ARGV[2] of a report: mark, slot; ARGV[3] of a window: mark
-- ARGV     then for each device "keys;always;today;yesterday;field": how many of KEYS are its own, 1 to
--          read its window in any case, the marks of its windows, a field of the window to look for
-- Result   two lists. For each record that exists: its place in KEYS, its ms to live, its bytes, and a
--          list of slot, report, ... For each device that has a record, or that asked for its window: its
--          number, calls, finished, reports, whether the field is there
-- O(keys + reports)
local function used(blob) -- the slots in bytes 10 to 17: bit n of the number, big-endian, is slot n
  local slots = {}
  for b = 1, 8 do
    local bits, slot = string.byte(blob, 9 + b) or 0, (8 - b) * 8
    while bits > 0 do
      if bits % 2 == 1 then slots[#slots + 1] = slot end
      bits, slot = math.floor(bits / 2), slot + 1
    end
  end
  return slots
end

local function reports(key, blob)
  local head = string.find(ARGV[1], '%s', 1, true)
  local mark = string.sub(key, head, #key - (#ARGV[1] - head - 1))
  local slots, keys, all = used(blob), {}, {}
  if #slots == 0 then return all end
  for i, slot in ipairs(slots) do keys[i] = string.format(ARGV[2], mark, slot) end
  for i, report in ipairs(redis.call('MGET', unpack(keys))) do
    if report then
      all[#all + 1] = slots[i]
      all[#all + 1] = report
    end
  end
  return all
end

local devices = {}
local function device(n)
  if not devices[n] then
    local keys, always, today, yesterday, field = string.match(ARGV[n + 3], '^(%d+);(%d);([^;]*);([^;]*);(.*)$')
    devices[n] = {keys = tonumber(keys), always = always == '1', today = today, yesterday = yesterday, field = field}
  end
  return devices[n]
end

local windows, seen = {}, {}
local function window(n)
  if seen[n] then return end
  seen[n] = true
  local d = device(n)
  if d.today == '' then return end
  local key, old = string.format(ARGV[3], d.today), string.format(ARGV[3], d.yesterday)
  if redis.call('EXISTS', old) == 1 then key = old end
  local w, there = redis.call('HMGET', key, 'calls', 'finished', 'reports'), 0
  if d.field ~= '' then there = redis.call('HEXISTS', key, d.field) end
  for _, v in ipairs({n, tonumber(w[1] or 0), tonumber(w[2] or 0), tonumber(w[3] or 0), there}) do
    windows[#windows + 1] = v
  end
end

local found = {}
if #KEYS > 0 then
  local held, n, last = redis.call('MGET', unpack(KEYS)), 0, 0
  for i = 1, #KEYS do
    local blob = held[i]
    if blob then
      while i > last do
        n = n + 1
        last = last + device(n).keys
      end
      found[#found + 1] = i
      found[#found + 1] = redis.call('PTTL', KEYS[i])
      found[#found + 1] = blob
      found[#found + 1] = reports(KEYS[i], blob)
      window(n)
    end
  end
end
for n = 1, #ARGV - 3 do
  if string.find(ARGV[n + 3], ';1;', 1, true) and device(n).always then window(n) end
end
return {found, windows}
