//! What the server runs: pieces of Lua, which [`Scripts`](super::script::Scripts) puts together. Each script is one
//! round trip, and atomic.
//!
//! `KEYS[1]` is a hash that holds all that the server has to know about its memory, so that it is lost as a whole or
//! not at all: the cutoff, and the windows of each group of layers. `KEYS[2]` is an entry. Tickets have
//! [scripts of their own](super::lua_tickets).
//!
//! An answer is a word, then what the server knows about its memory, then the script's own answer. The words for what
//! went wrong stand alone: `forgot`, `evicts`, `foreign`, `ahead`.
//!
//! Times are whole milliseconds or microseconds, as Lua counts exactly up to 2^53 only.

/// Who the server is, and what time it has.
///
/// A master has a mark that it changes when it starts and whenever it becomes the master, but not while it is one.
/// Entries are dropped for want of room under any policy but `noeviction`; the server counts them. `checked` is false
/// if that is fine, and for a user that may not ask.
pub(super) const SERVER: &str = "
local info = redis.pcall('INFO', 'replication', 'memory', 'stats')
local mark, evicted
if type(info) == 'string' then
    if not string.find(info, 'role:master', 1, true) then
        return redis.error_reply('READONLY this server is a replica: give the address of its master')
    end
    mark, evicted = string.match(info, 'master_replid:(%x+)'), string.match(info, 'evicted_keys:(%d+)')
    if not mark or not evicted then
        return redis.error_reply('ERR this server tells no master_replid and evicted_keys in INFO')
    end
    local policy = string.match(info, 'maxmemory_policy:(%S+)')
    if checked and policy ~= 'noeviction' then return {'evicts', policy or 'unknown'} end
elseif checked then
    return info
end
local time = redis.call('TIME')
local microseconds = time[1] * 1000000 + time[2]
local function whole(number) return string.format('%.0f', number) end
";

/// Every script but [`RAISE`] continues with this. If the data was deleted, the cutoff is gone too. Beside it are the
/// server on which it was raised, and how many keys that server had evicted. On another server, or one that was a
/// replica meanwhile, the data may lack the last claims.
pub(super) const MEMORY: &str = "
local cutoff, raised, on, less = unpack(redis.call('HMGET', KEYS[1], 'cutoff', 'raised', 'on', 'evicted'))
if not cutoff or not raised or (mark and mark ~= on) or (checked and evicted ~= less) then return {'forgot'} end
for _, number in ipairs({cutoff, raised}) do
    if not string.find(number, '^%-?%d+$') or math.abs(tonumber(number)) > 2^53 then return {'foreign', KEYS[1]} end
end
local function answer(word, payload) return {word, cutoff, raised, whole(microseconds), payload or ''} end
local function keep(key, value, milliseconds)
    if milliseconds == '' then
        redis.call('SET', key, value)
    else
        redis.call('SET', key, value, 'PX', whole(milliseconds))
    end
end
";

/// The windows of a group of layers: the longest in force, since when every entry is kept for it, the least that ever
/// was in force, when a layer with the longest was last here, and the longest of the others.
///
/// `ARGV`: a value and how long to keep it; the group, the layer's window, the time and the same time by the fastest
/// clock; since when the credential can have been used, and when it ends by itself, without a window; the longest
/// window of the group that a layer of this process has. What has no time has the window 0.
pub(super) const WINDOWS: &str = "
local WEEK, HOUR, BEGINNING = 604800000, 3600000, -2^53
local group, window, now = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local asked = math.max(window, tonumber(ARGV[9]))
local longest, since, least, seen, second = asked, BEGINNING, asked, now, 0
if window > 0 then
    local before = redis.call('HGET', KEYS[1], group)
    if before then
        longest, since, least, seen, second = string.match(before, '^(%d+) (%-?%d+) (%d+) (%-?%d+) (%d+)$')
        if not longest then return {'foreign', KEYS[1]} end
        longest, since, least = tonumber(longest), tonumber(since), tonumber(least)
        seen, second = tonumber(seen), tonumber(second)
    end
    if asked > longest then
        longest, since, seen, second = asked, tonumber(ARGV[6]), now, longest
    elseif asked == longest then
        if now > seen + HOUR then seen = now end
    else
        second = math.max(second, asked)
        if now > seen + longest + WEEK then
            longest, seen, second = second, now, (asked < second) and asked or 0
            least = math.min(least, longest)
        end
    end
    local after = table.concat({whole(longest), whole(since), whole(least), whole(seen), whole(second)}, ' ')
    if after ~= before then redis.call('HSET', KEYS[1], group, after) end
end
local function for_the_longest(milliseconds)
    return milliseconds == '' and milliseconds or milliseconds + longest - window
end
local function may_be_forgotten()
    return tonumber(ARGV[7]) < since and tonumber(ARGV[8]) + least < now
end
";

pub(super) const CLAIM: &str = "
local held = redis.call('GET', KEYS[2])
if held == 's' then return answer('spent') end
if held then return string.find(held, '^l%d+$') and answer('leased') or {'foreign', KEYS[2]} end
if may_be_forgotten() then return answer('forgotten') end
keep(KEYS[2], ARGV[1], ARGV[1] == 's' and for_the_longest(ARGV[2]) or ARGV[2])
return answer('first')
";

/// Runs on a full server too: the lease makes room, and a processed delivery must not be processed again.
pub(super) const SETTLE: &str = "
keep(KEYS[2], ARGV[1], for_the_longest(ARGV[2]))
return answer('done')
";

pub(super) const RELEASE: &str = "
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return answer('done')
";

pub(super) const LOOK: &str = "
return answer('done')
";

/// Rewrites an existing value, so that a server that is full or takes no writes fails.
pub(super) const WRITE: &str = "
redis.call('HSET', KEYS[1], 'cutoff', cutoff)
return answer('done')
";

/// Sets the cutoff, `ARGV[1]`, which may be ahead of the server's own clock by `ARGV[2]`: one node with a wrong clock
/// is not to shut out the others. If it is not set, nothing is remembered: the scripts are loaded in the same
/// transaction, so without this, who may not ask for the mark would take old data for all there is.
///
/// Below that bound the cutoff never moves back, and never stays. Nor does the moment at which it was raised, whatever
/// the server's clock does: it tells one memory from the next.
pub(super) const RAISE: &str = "
local cutoff, most = tonumber(ARGV[1]), math.floor(microseconds / 1000) + tonumber(ARGV[2])
local held, last = unpack(redis.call('HMGET', KEYS[1], 'cutoff', 'raised'))
if cutoff > most then
    redis.call('DEL', KEYS[1])
    return {'ahead', whole(cutoff - most)}
end
held, last = tonumber(held or ''), tonumber(last or '')
if held and held <= most then cutoff = math.max(cutoff, held + 1) end
local raised = microseconds
if last and last < 2^53 then raised = math.max(raised, last + 1) end
redis.call('HSET', KEYS[1], 'cutoff', whole(cutoff), 'raised', whole(raised))
redis.call('HSET', KEYS[1], 'on', mark or '-', 'evicted', evicted or '-')
return {'done', whole(cutoff), whole(raised), whole(microseconds), ''}
";

/// What begins with this runs on a full server. A server that takes no writes refuses it unseen, so that a transaction
/// with it in it comes to nothing as a whole.
pub(super) const WHEN_FULL: &str = "#!lua flags=allow-oom\n";
