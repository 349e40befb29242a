-- See `impasto.contracts.Buckets.take`; each rate is its name, seconds and slack.
local P, patience = unpack(ARGV)
local LONGEST = 2 * 3600
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local wait, full_at = 0, {}
for i = 3, #ARGV, 3 do
    local known = tonumber(redis.call('GET', P..'bucket:'..ARGV[i]) or now)
    -- Nobody waits that long: the clock of Redis was set back.
    if known > now + LONGEST then known = now end
    full_at[i] = math.max(known, now)
    wait = math.max(wait, full_at[i] - ARGV[i + 2] - now)
end
if patience == 'inf' or wait <= tonumber(patience) then
    for i = 3, #ARGV, 3 do
        local moved = full_at[i] + ARGV[i + 1]
        redis.call('SET', P..'bucket:'..ARGV[i], string.format('%.6f', moved),
            'PX', math.ceil((moved - now) * 1000))
    end
end
return string.format('%.6f', wait)
