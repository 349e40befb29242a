-- Returns how many processes paint.
local P = ARGV[1]
local time = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', P..'workers', '-inf', time[1] * 1000)
return redis.call('ZCARD', P..'workers')
