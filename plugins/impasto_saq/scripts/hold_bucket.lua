-- See `impasto.contracts.Buckets.hold`; for an hour at most, as `take_tokens` takes what is far off
-- for a mistake of the clock.
local P, name, seconds = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local known = tonumber(redis.call('GET', P..'bucket:'..name) or now)
if known > now + 2 * 3600 then known = now end
local held = math.max(known, now + math.min(seconds, 3600))
redis.call('SET', P..'bucket:'..name, string.format('%.6f', held),
    'PX', math.ceil((held - now) * 1000))
return 1
