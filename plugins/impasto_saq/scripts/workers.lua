-- Returns how many processes paint.
local P = ARGV[1]
local time = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', P..'workers', '-inf', time[1] * 1000)
-- No lease is longer than ten minutes: the clock was set back. Who lives comes again.
redis.call('ZREMRANGEBYSCORE', P..'workers', (time[1] + 660) * 1000, '+inf')
return redis.call('ZCARD', P..'workers')
