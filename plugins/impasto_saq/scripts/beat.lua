-- This process is heard of for the time of a lease, as a worker too if it paints.
local P, me, lease, paints = unpack(ARGV)
redis.call('SET', P..'alive:'..me, 1, 'PX', lease)
if paints == '1' then
    local time = redis.call('TIME')
    redis.call('ZADD', P..'workers', time[1] * 1000 + lease, me)
end
return 1
