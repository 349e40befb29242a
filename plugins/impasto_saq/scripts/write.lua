-- Writes a job unless it has changed since it was read with the stamp `before`, or is in the charge
-- of another process; returns 'written', 'changed', 'taken' or 'gone'.
local P, me, id, before, stamp, body, state, pixels, asked = unpack(ARGV, 1, 9)
local is_ended, changed, has_effort, is_fenced, is_settled, news_kept = unpack(ARGV, 10, 15)
local key = P..'job:'..id
local old, old_stamp, person, number, turn = unpack(
    redis.call('HMGET', key, 'state', 'stamp', 'person', 'number', 'turn'))
if not old then return 'gone' end
if old_stamp == stamp then return 'written' end
if old_stamp ~= before then return 'changed' end
local charge = redis.call('HGET', P..'charge', id)
if is_fenced == '1' and charge and charge ~= me then return 'taken' end

redis.call('HSET', key, 'body', body, 'stamp', stamp, 'state', state, 'pixels', pixels)
redis.call('ZADD', P..'asked:'..person, asked, id)
if has_effort == '1' then
    redis.call('ZADD', P..'effort', number, id)
else
    redis.call('ZREM', P..'effort', id)
end
if is_ended == '1' then redis.call('ZADD', P..'ended', changed, id) end
if state ~= old then
    redis.call('ZREM', P..'in:'..old, id)
    redis.call('ZADD', P..'in:'..state, number, id)
    redis.call('INCR', P..'version')
    if state == 'running' then
        redis.call('HSET', P..'charge', id, me)
        turn = redis.call('INCR', P..'turn')
        redis.call('HSET', key, 'turn', turn)
    end
    if state == 'accepted' then
        redis.call('ZREM', P..'started:'..person, id)
    elseif turn then
        redis.call('ZADD', P..'started:'..person, turn, id)
    end
    if is_ended == '1' then
        redis.call('ZREM', P..'unfinished:'..person, id)
        redis.call('HSET', P..'charge', id, me)
    end
end
if is_settled == '1' then redis.call('HDEL', P..'charge', id) end
if news_kept ~= '0' then
    redis.call('XADD', P..'news', 'MAXLEN', '~', news_kept, '*', 'by', me, 'job', id)
end
return 'written'
