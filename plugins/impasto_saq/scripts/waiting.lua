-- Returns version, number of running jobs, and a list of what waits: for each job id, person, number,
-- pixels, and the last turn of its person.
local P = ARGV[1]
local waiting, turns = {}, {}
for _, id in ipairs(redis.call('ZRANGE', P..'in:accepted', 0, -1)) do
    local person, number, pixels = unpack(
        redis.call('HMGET', P..'job:'..id, 'person', 'number', 'pixels'))
    if person then
        if not turns[person] then
            turns[person] = redis.call(
                'ZREVRANGE', P..'started:'..person, 0, 0, 'WITHSCORES')[2] or '0'
        end
        waiting[#waiting + 1] = {id, person, number, pixels, turns[person]}
    else
        -- Evicted or deleted by somebody: it must not keep others from being claimed.
        redis.call('ZREM', P..'in:accepted', id)
    end
end
return {redis.call('GET', P..'version') or '0', redis.call('ZCARD', P..'in:running'), waiting}
