-- Returns the process that is in charge of a job ('' if none is), its body, person and state.
local P, id = unpack(ARGV)
return {redis.call('HGET', P..'charge', id) or '',
    unpack(redis.call('HMGET', P..'job:'..id, 'body', 'person', 'state'))}
