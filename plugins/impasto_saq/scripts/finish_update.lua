-- Keeps of an update its id alone.
local P, id, now = unpack(ARGV)
if redis.call('HDEL', P..'updates', id) == 1 then redis.call('ZADD', P..'finished', now, id) end
redis.call('HDEL', P..'attempts', id)
redis.call('HDEL', P..'charge:updates', id)
return 1
