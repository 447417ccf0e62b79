-- Reads what is kept about some devices, in one step. Most devices have no record, so for those it does
-- nothing but ask. A look wants to know in which band a device is: where the sum of its reports holds,
-- they are left unread; whose token was given up is judged by its digest too.
-- KEYS     for each device the records that it may have
-- ARGV[1]  format of the key of a record: mark; ARGV[2] of a sum: mark; ARGV[3] of a report: mark, slot;
--          ARGV[4] of a window: mark
-- ARGV[5]  the rule of sums that hold
-- ARGV[6]  for each device a byte: how many of KEYS are its own
-- ARGV[7]  1 when some device wants its window in any case
-- ARGV[8]  for each device a line "mode;today;yesterday;field;others": mode 0, 1 to read its window in any
--          case, 2 for a look; the marks of its windows; a field of the window to look for; for a look the
--          marks of its digest, which has a say only if the token was given up, each with a comma
-- Result   two lists. For each record that exists: its device, its place among those of the device, its
--          ms to live (0 for a look), its bytes, its sum or '', and a list of slot, report, ... or nil when
--          they were left unread. For each device that has a record, or that asked for its window: its
--          number, calls, finished, reports, whether the field is there
-- O(keys + reports)
local held, some = {}, ARGV[7] == '1'
if #KEYS > 0 then held = redis.call('MGET', unpack(KEYS)) end
for i = 1, #KEYS do some = some or held[i] end
if not some then return {{}, {}} end

local before = string.find(ARGV[1], '%s', 1, true)
local after = #ARGV[1] - before - 1
local function name(key) return string.sub(key, before, #key - after) end

local function slots(sum) -- in bytes 9 to 16: bit n of the number, big-endian, is slot n; without a sum any
  local all = {}
  for b = 1, 8 do
    local bits, slot = sum and string.byte(sum, 8 + b) or 255, (8 - b) * 8
    while bits > 0 do
      if bits % 2 == 1 then all[#all + 1] = slot end
      bits, slot = math.floor(bits / 2), slot + 1
    end
  end
  return all
end

local function reports(mark, sum)
  local at, keys, all = slots(sum), {}, {}
  if #at == 0 then return all end
  for i, slot in ipairs(at) do keys[i] = string.format(ARGV[3], mark, slot) end
  for i, report in ipairs(redis.call('MGET', unpack(keys))) do
    if report then
      all[#all + 1] = at[i]
      all[#all + 1] = report
    end
  end
  return all
end

local windows = {}
local function window(n, today, yesterday, field)
  if today == '' then return end
  local key, old = string.format(ARGV[4], today), string.format(ARGV[4], yesterday)
  if redis.call('EXISTS', old) == 1 then key = old end
  local w, there = redis.call('HMGET', key, 'calls', 'finished', 'reports'), 0
  if field ~= '' then there = redis.call('HEXISTS', key, field) end
  for _, v in ipairs({n, tonumber(w[1] or 0), tonumber(w[2] or 0), tonumber(w[3] or 0), there}) do
    windows[#windows + 1] = v
  end
end

local found = {}
-- Takes up one record; answers whether it is the mark of a token that was given up, or has that.
local function take(n, place, key, blob, look, alone)
  local mark = name(key)
  local sum = redis.call('MGET', string.format(ARGV[2], mark))[1]
  if sum and string.sub(sum, 1, 8) ~= string.sub(blob, 1, 8) then sum = false end
  local given, list = string.sub(blob, 9, 9) == 'g', false
  if not (look and alone and sum and string.sub(sum, 17, 24) == ARGV[5]) then
    list = reports(mark, sum)
    given = given or list[#list - 1] == 63 and #list[#list] == 33
  end
  for _, v in ipairs({n, place, look and 0 or redis.call('PTTL', key), blob, sum or ''}) do found[#found + 1] = v end
  found[#found + 1] = list
  return given
end

local lines = {}
for line in string.gmatch(ARGV[8], '[^\n]+') do lines[#lines + 1] = line end

local function device(n, mine)
  local mode, today, yesterday, field, others = string.match(lines[n], '^(%d);([^;]*);([^;]*);([^;]*);(.*)$')
  local look, of, given = mode == '2', {}, false
  for _, r in ipairs(mine) do
    local kind = string.sub(r.blob, 9, 9)
    of[kind] = (of[kind] or 0) + 1
  end
  for _, r in ipairs(mine) do
    given = take(n, r.place, r.key, r.blob, look, of[string.sub(r.blob, 9, 9)] == 1) or given
  end
  if given and others ~= '' then
    local keys = {}
    for mark in string.gmatch(others, '([^,]+),') do keys[#keys + 1] = string.format(ARGV[1], mark) end
    for i, blob in ipairs(redis.call('MGET', unpack(keys))) do
      if blob then take(n, string.byte(ARGV[6], n) + i, keys[i], blob, look, false) end
    end
  end
  if #mine > 0 or mode == '1' then window(n, today, yesterday, field) end
end

local n, first, last, mine = 1, 0, string.byte(ARGV[6], 1) or 0, {}
local seen = {}
for i = 1, #KEYS do
  if held[i] then
    if i > last and #mine > 0 then
      device(n, mine)
      seen[n], mine = true, {}
    end
    while i > last do
      n = n + 1
      first, last = last, last + string.byte(ARGV[6], n)
    end
    mine[#mine + 1] = {place = i - first, key = KEYS[i], blob = held[i]}
  end
end
if #mine > 0 then
  device(n, mine)
  seen[n] = true
end
if ARGV[7] == '1' then
  for other = 1, #ARGV[6] do
    if not seen[other] then device(other, {}) end
  end
end
return {found, windows}
