-- Removes up to a thousand jobs that were final before a time, so that others need not wait; returns
-- how many.
local P, before = unpack(ARGV)
-- The set `jobs` and the lists `changes:<id>` were kept by the first version.
local ids = redis.call('ZRANGEBYSCORE', P..'ended', '-inf', '('..before, 'LIMIT', 0, 1000)
for _, id in ipairs(ids) do
    local body, person, state = unpack(
        redis.call('HMGET', P..'job:'..id, 'body', 'person', 'state'))
    local is_readable, job = pcall(cjson.decode, body)
    if is_readable and type(job) == 'table' and type(job['origin']) == 'string' then
        redis.call('HDEL', P..'origins', job['origin'])
    end
    for _, set in ipairs({'jobs', 'in:'..state, 'of:'..person, 'started:'..person, 'asked:'..person,
                          'effort', 'ended'}) do
        redis.call('ZREM', P..set, id)
    end
    redis.call('HDEL', P..'charge', id)
    redis.call('DEL', P..'job:'..id, P..'changes:'..id)
end
return #ids
