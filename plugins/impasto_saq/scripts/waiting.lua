-- Returns version, number of running jobs, and a list of what waits: for each job id, person, number,
-- pixels, and the last turn of its person.
local P = ARGV[1]
local waiting, turns = {}, {}
for i, id in ipairs(redis.call('ZRANGE', P..'in:accepted', 0, -1)) do
    local person, number, pixels = unpack(
        redis.call('HMGET', P..'job:'..id, 'person', 'number', 'pixels'))
    if not turns[person] then
        turns[person] = redis.call('ZREVRANGE', P..'started:'..person, 0, 0, 'WITHSCORES')[2] or '0'
    end
    waiting[i] = {id, person, number, pixels, turns[person]}
end
return {redis.call('GET', P..'version') or '0', redis.call('ZCARD', P..'in:running'), waiting}
