-- Returns id, body, person and state of the jobs in a sorted set, all of them or, with a count, the
-- last ones, newest first.
local P, set, count = unpack(ARGV)
local ids = count == '' and redis.call('ZRANGE', P..set, 0, -1)
    or redis.call('ZREVRANGE', P..set, 0, count - 1)
local jobs = {}
for _, id in ipairs(ids) do
    local body, person, state = unpack(
        redis.call('HMGET', P..'job:'..id, 'body', 'person', 'state'))
    if body then jobs[#jobs + 1] = {id, body, person, state} end
end
return jobs
