-- Stores updates that are not known yet; returns the ids of the new ones.
local P, me, now, forgotten = unpack(ARGV, 1, 4)
redis.call('ZREMRANGEBYSCORE', P..'finished', '-inf', '('..forgotten)
local new = {}
for i = 5, #ARGV, 2 do
    local id, body = ARGV[i], ARGV[i + 1]
    if not redis.call('ZSCORE', P..'finished', id)
            and redis.call('HSETNX', P..'updates', id, body) == 1 then
        redis.call('HSET', P..'charge:updates', id, me)
        new[#new + 1] = id
    end
end
return new
