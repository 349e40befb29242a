-- Returns the bodies of the jobs in a sorted set, all of them or, with a count, the last ones, newest
-- first.
local P, set, count = unpack(ARGV)
local ids = count == '' and redis.call('ZRANGE', P..set, 0, -1)
    or redis.call('ZREVRANGE', P..set, 0, count - 1)
local bodies = {}
for i, id in ipairs(ids) do bodies[i] = redis.call('HGET', P..'job:'..id, 'body') end
return bodies
