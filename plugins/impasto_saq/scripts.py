"""What happens in Redis in one piece, as Lua: scripts of the journal and of the token buckets.

All names begin with the prefix P, the first argument:

    job:<id>              hash: body (the job as JSON), stamp (of its last change), state, person,
                          number (order of acceptance), pixels (most it asks for, 0 if it does not),
                          turn (order of its last start, absent before)
    jobs, in:<state>, of:<person>, unfinished:<person>    sorted sets: id by number
    started:<person>      sorted set: id by turn, of those that do not wait
    asked:<person>        sorted set: id by Unix time of acceptance
    effort                sorted set: id by number, of those that estimates learn from
    ended                 sorted set: id by Unix time, of final ones
    origins               hash: id by origin
    changes:<id>          list: "<state> <Unix time>"
    charge                hash: process by id, of those that are not settled
    number, turn, version counters; version is that of the order in which jobs wait
    news                  stream: what happened to which job by which process

    updates, attempts, charge:updates   hashes by id, of unfinished ones: JSON, count, process
    finished              sorted set: id by Unix time

    alive:<process>       there while it is heard of
    workers               sorted set: process by Unix time in ms until which it is heard of
    bucket:<name>         Unix time at which it is full
"""

from __future__ import annotations

NEWS_KEPT = 20_000
"""A process that was cut off for more changes than that misses the oldest."""

ADD = f"""
local P, me, id, stamp, origin, person, body, pixels, asked = unpack(ARGV, 1, 9)
local now, unfinished, hourly, waiting = unpack(ARGV, 10, 13)
local known = redis.call('EXISTS', P..'job:'..id) == 1 and id
    or origin ~= '' and redis.call('HGET', P..'origins', origin)
if known then
    return {{'known', redis.call('HGET', P..'job:'..known, 'body')}}
end
if unfinished ~= '' and redis.call('ZCARD', P..'unfinished:'..person) >= tonumber(unfinished) then
    return {{'unfinished', '0'}}
end
if hourly ~= '' then
    local most = tonumber(hourly)
    local hour = redis.call(
        'ZREVRANGEBYSCORE', P..'asked:'..person, '+inf', '('..(tonumber(now) - 3600), 'WITHSCORES')
    if #hour / 2 >= most then
        return {{'hourly', tostring(3600 - (tonumber(now) - tonumber(hour[2 * most])))}}
    end
end
if waiting ~= '' and redis.call('ZCARD', P..'in:accepted') >= tonumber(waiting) then
    return {{'waiting', '0'}}
end
local number = redis.call('INCR', P..'number')
redis.call('HSET', P..'job:'..id, 'body', body, 'stamp', stamp, 'state', 'accepted',
    'person', person, 'number', number, 'pixels', pixels)
for _, set in ipairs({{'jobs', 'in:accepted', 'of:'..person, 'unfinished:'..person}}) do
    redis.call('ZADD', P..set, number, id)
end
redis.call('ZADD', P..'asked:'..person, asked, id)
if origin ~= '' then redis.call('HSET', P..'origins', origin, id) end
redis.call('RPUSH', P..'changes:'..id, 'accepted '..asked)
redis.call('HSET', P..'charge', id, me)
redis.call('INCR', P..'version')
redis.call('XADD', P..'news', 'MAXLEN', '~', {NEWS_KEPT}, '*', 'by', me, 'job', id)
return {{'added', body}}
"""
"""Returns {{'added' or 'known', body}} or {{the limit that was reached, seconds}}."""

WRITE = f"""
local P, me, id, before, stamp, body, state, pixels, asked = unpack(ARGV, 1, 9)
local is_ended, changed, has_effort, is_fenced, is_news, is_settled = unpack(ARGV, 10, 15)
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
    redis.call('RPUSH', P..'changes:'..id, state..' '..changed)
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
if is_news == '1' then
    redis.call('XADD', P..'news', 'MAXLEN', '~', {NEWS_KEPT}, '*', 'by', me, 'job', id)
end
return 'written'
"""
"""Writes a job unless it has changed since it was read with the stamp `before`, or is another
process's."""

ORDER = """
local P = ARGV[1]
local order = {redis.call('GET', P..'version') or '0', redis.call('ZCARD', P..'in:running')}
local turns = {}
for _, id in ipairs(redis.call('ZRANGE', P..'in:accepted', 0, -1)) do
    local person, number, pixels = unpack(
        redis.call('HMGET', P..'job:'..id, 'person', 'number', 'pixels'))
    if not turns[person] then
        turns[person] = redis.call('ZREVRANGE', P..'started:'..person, 0, 0, 'WITHSCORES')[2] or '0'
    end
    for _, value in ipairs({id, person, number, pixels, turns[person]}) do
        order[#order + 1] = value
    end
end
return order
"""
"""Returns version, number of running jobs, and for each waiting one id, person, number, pixels, and
the last turn of its person."""

IN_STATES = """
local P = ARGV[1]
local found = {}
for i = 2, #ARGV do
    local ids = redis.call('ZRANGE', P..'in:'..ARGV[i], 0, -1, 'WITHSCORES')
    for j = 1, #ids, 2 do found[#found + 1] = {ids[j], tonumber(ids[j + 1])} end
end
table.sort(found, function(one, other) return one[2] < other[2] end)
local bodies = {}
for i, job in ipairs(found) do bodies[i] = redis.call('HGET', P..'job:'..job[1], 'body') end
return bodies
"""

LISTED = """
local P, set, count = unpack(ARGV)
local ids = count == '' and redis.call('ZRANGE', P..set, 0, -1)
    or redis.call('ZREVRANGE', P..set, 0, count - 1)
local bodies = {}
for i, id in ipairs(ids) do bodies[i] = redis.call('HGET', P..'job:'..id, 'body') end
return bodies
"""
"""Returns the bodies of a sorted set of ids; the last so many, newest first, with a count."""

CHARGE_AND_BODY = """
local P, id = unpack(ARGV)
return {redis.call('HGET', P..'charge', id) or '', redis.call('HGET', P..'job:'..id, 'body')}
"""

PRUNE = """
local P, before = unpack(ARGV)
local ids = redis.call('ZRANGEBYSCORE', P..'ended', '-inf', '('..before, 'LIMIT', 0, 1000)
for _, id in ipairs(ids) do
    local body, person, state = unpack(
        redis.call('HMGET', P..'job:'..id, 'body', 'person', 'state'))
    local origin = cjson.decode(body)['origin']
    if type(origin) == 'string' then redis.call('HDEL', P..'origins', origin) end
    for _, set in ipairs({'jobs', 'in:'..state, 'of:'..person, 'started:'..person, 'asked:'..person,
                          'effort', 'ended'}) do
        redis.call('ZREM', P..set, id)
    end
    redis.call('HDEL', P..'charge', id)
    redis.call('DEL', P..'job:'..id, P..'changes:'..id)
end
return #ids
"""
"""Removes up to a thousand final jobs, so that others need not wait; returns how many."""

ORPHANS = """
local P, charge, me, may_judge = unpack(ARGV)
local alive, orphans = {}, {}
local all = redis.call('HGETALL', P..charge)
for i = 1, #all, 2 do
    local process = all[i + 1]
    if alive[process] == nil then
        alive[process] = redis.call('EXISTS', P..'alive:'..process) == 1
    end
    if process == me or may_judge == '1' and not alive[process] then
        orphans[#orphans + 1] = all[i]
        orphans[#orphans + 1] = process
    end
end
return orphans
"""
"""Returns id and process of what is in the charge of this process or of one that is gone."""

ADOPT = """
local P, charge, me, id, process = unpack(ARGV)
local now = redis.call('HGET', P..charge, id)
if now == process or now == me then
    redis.call('HSET', P..charge, id, me)
    return 1
end
return 0
"""

TAKE_UPDATES = """
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
"""

BEGIN_UPDATE = """
local P, id = unpack(ARGV)
if redis.call('HEXISTS', P..'updates', id) == 0 then return 0 end
return redis.call('HINCRBY', P..'attempts', id, 1)
"""

FINISH_UPDATE = """
local P, id, now = unpack(ARGV)
if redis.call('HDEL', P..'updates', id) == 1 then redis.call('ZADD', P..'finished', now, id) end
redis.call('HDEL', P..'attempts', id)
redis.call('HDEL', P..'charge:updates', id)
return 1
"""

BEAT = """
local P, me, lease, paints = unpack(ARGV)
redis.call('SET', P..'alive:'..me, 1, 'PX', lease)
if paints == '1' then
    local time = redis.call('TIME')
    redis.call('ZADD', P..'workers', time[1] * 1000 + lease, me)
end
return 1
"""

WORKERS = """
local P = ARGV[1]
local time = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', P..'workers', '-inf', time[1] * 1000)
return redis.call('ZCARD', P..'workers')
"""

TAKE_TOKENS = """
local P, patience = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local wait, full_at = 0, {}
for i = 3, #ARGV, 3 do
    local known = tonumber(redis.call('GET', P..'bucket:'..ARGV[i]) or now)
    full_at[i] = math.max(known, now)
    wait = math.max(wait, full_at[i] - ARGV[i + 2] - now)
end
if patience == 'inf' or wait <= tonumber(patience) then
    for i = 3, #ARGV, 3 do
        local moved = full_at[i] + ARGV[i + 1]
        redis.call('SET', P..'bucket:'..ARGV[i], string.format('%.6f', moved),
            'PX', math.ceil((moved - now) * 1000))
    end
end
return string.format('%.6f', wait)
"""
"""See `impasto.contracts.Buckets.take`; each rate is its name, seconds and slack."""

HOLD_BUCKET = """
local P, name, seconds = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local held = math.max(tonumber(redis.call('GET', P..'bucket:'..name) or now), now + seconds)
redis.call('SET', P..'bucket:'..name, string.format('%.6f', held),
    'PX', math.ceil((held - now) * 1000))
return 1
"""
