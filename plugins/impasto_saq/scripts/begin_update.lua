-- Counts an attempt at handling an update; returns how many there were, 0 if it is finished.
local P, id = unpack(ARGV)
if redis.call('HEXISTS', P..'updates', id) == 0 then return 0 end
return redis.call('HINCRBY', P..'attempts', id, 1)
