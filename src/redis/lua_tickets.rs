//! The scripts for tickets. They begin like [the others](super::lua).
//!
//! | key | type | contents | deleted |
//! |---|---|---|---|
//! | `{namespace}t:…` | string | a ticket | when it is taken or expires |
//! | `{namespace}s:…` | hash | what the tickets of a call share, its bytes, the tickets left | with the last ticket |
//! | `{namespace}held` | hash | bytes: in `total`, by tenant, by period (`{end} {tenant}`) | with the last period |
//! | `{namespace}ends` | sorted set | all periods by their end | with the last period |
//!
//! A period counts all tickets of a tenant that expire in the same second. It ends one to two seconds later. There are
//! few periods, however many tickets there are.
//!
//! The script that takes a ticket learns the name of `s:…` only from the ticket, so it cannot declare that key. The
//! declared keys are in the same slot: while the slot moves, they make the script fail.
//!
//! # Why the count cannot drift
//!
//! `total` and each tenant's sum equal the sum of their periods: [`COUNT`] changes all three by the same number, in one
//! script. An error in a period's count ends with the period: after all its tickets have expired, the period is removed
//! together with the bytes still counted in it. A ticket gives back at most what its period still has, and nothing if
//! the period is gone. So if the server's clock is set back, or a ticket is deleted by hand, the count is wrong for one
//! period at most. Tickets and counts change in the same script, so a snapshot, a log or a replica has both or neither.

/// Needs [`MEMORY`](super::lua::MEMORY). `KEYS[2]` is `held`, and `KEYS[3]` is `ends`.
pub(super) const COUNT: &str = "
local HELD, ENDS = KEYS[2], KEYS[3]
local function bytes_of(field) return tonumber(redis.call('HGET', HELD, field)) or 0 end
local function change(field, bytes)
    local after = bytes_of(field) + bytes
    if after > 0 then redis.call('HSET', HELD, field, whole(after)) else redis.call('HDEL', HELD, field) end
    return after
end
local function count(period, bytes)
    change(string.match(period, '%S+$'), bytes)
    change('total', bytes)
    return change(period, bytes)
end
local function give_back(period, bytes)
    if count(period, -math.min(bytes, bytes_of(period))) <= 0 then redis.call('ZREM', ENDS, period) end
end
";

/// Stores all tickets of one call, or none.
///
/// `KEYS[4]` is for the shared data, each further key for a ticket.
///
/// | `ARGV` | meaning |
/// |---|---|
/// | 1 | how long to keep the tickets |
/// | 2, 3 | the tenant, and the limit in bytes |
/// | 4 | the bytes to count for all of it |
/// | 5, 6, 7 | the shared data: the bytes to count, its name, its value |
/// | 8, 9 and on | for each ticket: the bytes to count, its value |
///
/// A script cannot roll back, so the order of writes matters. The first write is one that a full server refuses; once
/// a script has written, the server lets it continue. The counts come next, so that a user without the permission for
/// them stores nothing. Bytes counted in vain end with their period.
pub(super) const PUT: &str = "
local SOME, MANY = 32, 1024
local tenant, ceiling, bytes = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
for key = 4, #KEYS do
    if redis.call('EXISTS', KEYS[key]) == 1 then return answer('taken') end
end
local maxmemory = type(info) == 'string' and tonumber(reported('maxmemory', '^%d+')) or 0
if maxmemory > 0 then ceiling = math.min(ceiling, maxmemory / 2) end

redis.call('HSET', KEYS[1], 'cutoff', cutoff)
if redis.call('EXISTS', ENDS) == 0 then redis.call('DEL', HELD) end
local now = math.floor(microseconds / 1000)
local function remove_ended()
    local ended = redis.call('ZRANGE', ENDS, '-inf', whole(now), 'BYSCORE', 'LIMIT', 0, SOME)
    for _, period in ipairs(ended) do give_back(period, math.huge) end
    return #ended
end
local removed = remove_ended()
while bytes_of(tenant) + bytes_of('total') + bytes > ceiling do
    local more = removed < MANY and remove_ended() or 0
    if more == 0 then return answer('full') end
    removed = removed + more
end

-- A period ends after everything that is counted in it, the shared data included.
local milliseconds, ends = ARGV[1], '+inf'
if milliseconds ~= '' then ends = whole(math.floor((now + milliseconds) / 1000) * 1000 + 2000) end
local period = ends .. ' ' .. tenant
redis.call('ZADD', ENDS, ends, period)
count(period, bytes)

local name = '-'
if ARGV[6] ~= '' then
    name = ARGV[6]
    redis.call('HSET', KEYS[4], 'shared', ARGV[7], 'left', #KEYS - 4, 'bytes', ARGV[5])
    -- Slightly longer than the tickets, so that a live ticket always finds it.
    if milliseconds ~= '' then redis.call('PEXPIRE', KEYS[4], whole(milliseconds + 1000)) end
end
for key = 5, #KEYS do
    local at = 8 + (key - 5) * 2
    local value = table.concat({raised, ARGV[at], name, period}, ' ') .. ':' .. ARGV[at + 1]
    keep(KEYS[key], value, milliseconds)
end
return answer('done')
";

/// Reads the ticket `KEYS[4]`. `ARGV[1]` is the prefix of the shared data's keys.
///
/// A ticket carries the `raised` time of the cutoff under which it was issued. If that differs from the current one, a
/// restart has restored the ticket from older data. It may have been redeemed since, so it is not returned.
pub(super) const READ: &str = "
local held = redis.call(GET, KEYS[4])
if not held then return answer('none') end
local under, bytes, name, period, value = string.match(held, '^(%-?%d+) (%d+) ([%w_-]+) ([%d+inf]+ [%w_-]+):(.*)$')
if not under then return {'foreign', KEYS[4]} end
local key, shared, left, its_bytes = ARGV[1] .. name, '', 0, 0
if name ~= '-' then
    shared, left, its_bytes = unpack(redis.call('HMGET', key, 'shared', 'left', 'bytes'))
    left, its_bytes = tonumber(left), tonumber(its_bytes)
end
local is_whole = shared and left and its_bytes
local function ticket()
    if not is_whole or under ~= raised then return answer('none') end
    return answer('ticket', string.sub(value, 1, 8) .. shared .. string.sub(value, 9))
end
";

/// Goes before [`READ`]: leaves the ticket in place.
pub(super) const KEEP: &str = "local GET = 'GET'\n";

/// Goes before [`READ`]: deletes the value, whatever it is.
pub(super) const REMOVE: &str = "local GET = 'GETDEL'\n";

pub(super) const LOOK: &str = "
return ticket()
";

pub(super) const TAKE: &str = "
give_back(period, tonumber(bytes))
if name ~= '-' and is_whole then
    if left > 1 then
        redis.call('HSET', key, 'left', whole(left - 1))
    else
        redis.call('DEL', key)
        give_back(period, its_bytes)
    end
end
return ticket()
";
