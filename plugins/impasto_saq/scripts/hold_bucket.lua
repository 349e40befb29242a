-- See `impasto.contracts.Buckets.hold`.
local P, name, seconds = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local held = math.max(tonumber(redis.call('GET', P..'bucket:'..name) or now), now + seconds)
redis.call('SET', P..'bucket:'..name, string.format('%.6f', held),
    'PX', math.ceil((held - now) * 1000))
return 1
