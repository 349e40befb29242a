-- Stores a new job; returns {'added' or 'known', its id} or {the limit that was reached, seconds}.
local P, me, id, stamp, origin, person, body, pixels, asked = unpack(ARGV, 1, 9)
local now, hour, differ, unfinished, hourly, waiting, news_kept = unpack(ARGV, 10, 16)
local known = redis.call('EXISTS', P..'job:'..id) == 1 and id
    or origin ~= '' and redis.call('HGET', P..'origins', origin)
if known then
    return {'known', known}
end
if unfinished ~= '' and redis.call('ZCARD', P..'unfinished:'..person) >= tonumber(unfinished) then
    return {'unfinished', '0'}
end
if hourly ~= '' then
    local most = tonumber(hourly)
    local begin = now - hour
    local ids_and_times = redis.call('ZREVRANGEBYSCORE', P..'asked:'..person,
        string.format('%.6f', now + differ), '('..begin, 'WITHSCORES')
    if #ids_and_times / 2 >= most then
        return {'hourly', tostring(math.min(hour, ids_and_times[2 * most] - begin))}
    end
end
if waiting ~= '' and redis.call('ZCARD', P..'in:accepted') >= tonumber(waiting) then
    return {'waiting', '0'}
end
local number = redis.call('INCR', P..'number')
redis.call('HSET', P..'job:'..id, 'body', body, 'stamp', stamp, 'state', 'accepted',
    'person', person, 'number', number, 'pixels', pixels)
for _, set in ipairs({'in:accepted', 'of:'..person, 'unfinished:'..person}) do
    redis.call('ZADD', P..set, number, id)
end
redis.call('ZADD', P..'asked:'..person, asked, id)
if origin ~= '' then redis.call('HSET', P..'origins', origin, id) end
redis.call('HSET', P..'charge', id, me)
redis.call('INCR', P..'version')
redis.call('XADD', P..'news', 'MAXLEN', '~', news_kept, '*', 'by', me, 'job', id)
return {'added', id}
