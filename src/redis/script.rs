//! What is asked of the server: one script for each operation, each of them one round trip and atomic.

use ::redis::aio::ConnectionLike;
use ::redis::{ErrorKind, RedisError, Script, ServerErrorKind, Value, cmd, pipe};

use crate::clock::UnixTime;
use crate::store::StoreError;

/// Who the server is: a master has a mark that it changes when it starts and whenever it becomes the master, but not while it
/// is one. A user that may not ask is not told: `danger_unchecked_eviction` lets it in.
const MARK: &str = "
local told = redis.pcall('INFO', 'replication')
local mark
if type(told) == 'string' then
    if not string.find(told, 'role:master', 1, true) then
        return redis.error_reply('READONLY this server is a replica: give the address of its master')
    end
    mark = string.match(told, 'master_replid:(%x+)')
    if not mark then return redis.error_reply('ERR this server tells no master_replid in INFO replication') end
end
";

/// Every script goes on with this. The fence is gone when the data is, whoever deleted them. It bears the mark of the server
/// that it was raised on: on another one, or on one that was a replica meanwhile, it came with data that may lack the last
/// claims.
const PREAMBLE: &str = "
local fence, under = string.match(redis.call('GET', KEYS[1]) or '', '^(%-?%d+) ?(%x*)$')
if not fence or (mark and mark ~= under) then return 0 end
local function keep(value, milliseconds)
    if milliseconds == '' then
        redis.call('SET', KEYS[2], value)
    else
        redis.call('SET', KEYS[2], value, 'PX', milliseconds)
    end
end
";

/// Answers with what holds the key, or with nothing if the caller has it now.
const CLAIM: &str = "
local held = redis.call('GET', KEYS[2])
if held then return {fence, held} end
keep(ARGV[1], ARGV[2])
return {fence, ''}
";

/// On a full server too: the lease makes room, and what was carried out must not be carried out again.
const SETTLE: &str = "
keep(ARGV[1], ARGV[2])
return {fence, ''}
";

const RELEASE: &str = "
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return {fence, ''}
";

/// A ticket is marked with the fence under which it was issued.
const PUT: &str = "
if redis.call('EXISTS', KEYS[2]) == 1 then return {fence, 'taken'} end
keep(fence .. ':' .. ARGV[1], ARGV[2])
return {fence, ''}
";

/// One with another mark was brought back by a restart from older data: it may have been redeemed since.
const TAKE: &str = "
local held = redis.call('GETDEL', KEYS[2])
if not held or string.sub(held, 1, #fence + 1) ~= fence .. ':' then return {fence, ''} end
return {fence, string.sub(held, #fence + 2)}
";

const LOOK: &str = "
return {fence, ''}
";

/// Writes what is there already: a server that is full, or takes no writes for another reason, says so.
const WRITE: &str = "
redis.call('SET', KEYS[1], redis.call('GET', KEYS[1]))
return {fence, ''}
";

/// The fence never moves back, and never stays: it is also the mark of the tickets. Not one of the scripts that the server
/// has to know: it is sent whole.
const RAISE: &str = "
local held = tonumber(string.match(redis.call('GET', KEYS[1]) or '', '^%-?%d+') or '0')
local fence = string.format('%d', math.max(tonumber(ARGV[1]), held + 1))
redis.call('SET', KEYS[1], fence .. ' ' .. (mark or ''))
";

/// What begins with this runs on a full server. A server that takes no writes refuses it unseen, so that a transaction with
/// it in it comes to nothing as a whole.
const WHEN_FULL: &str = "#!lua flags=allow-oom\n";

pub(super) struct Scripts {
    pub(super) claim: Loaded,
    pub(super) settle: Loaded,
    pub(super) release: Loaded,
    pub(super) put: Loaded,
    pub(super) take: Loaded,
    pub(super) look: Loaded,
    pub(super) write: Loaded,
}

/// A script, and the digest by which the server knows it once it was loaded.
pub(super) struct Loaded {
    code: String,
    digest: String,
}

impl Loaded {
    fn new(code: &str) -> Self {
        Self::of([MARK, PREAMBLE, code].concat())
    }

    fn when_full(code: &str) -> Self {
        Self::of([WHEN_FULL, MARK, PREAMBLE, code].concat())
    }

    fn of(code: String) -> Self {
        let digest = Script::new(&code).get_hash().to_owned();
        Self { code, digest }
    }
}

impl Scripts {
    pub(super) fn new() -> Self {
        let [claim, release, put, take, look, write] = [CLAIM, RELEASE, PUT, TAKE, LOOK, WRITE].map(Loaded::new);
        Self { claim, settle: Loaded::when_full(SETTLE), release, put, take, look, write }
    }

    fn all(&self) -> [&Loaded; 7] {
        [&self.claim, &self.settle, &self.release, &self.put, &self.take, &self.look, &self.write]
    }

    /// Makes the server remember from here on: the fence and the scripts in one transaction, so that where a script is
    /// known, the fence is as young as the server's memory.
    pub(super) async fn install(
        &self,
        connection: &mut (impl ConnectionLike + Send),
        fence_key: &str,
        fence: UnixTime,
    ) -> Result<(), RedisError> {
        let raise = [WHEN_FULL, MARK, RAISE].concat();
        let mut transaction = pipe();
        transaction.atomic().cmd("EVAL").arg(raise).arg(1).arg(fence_key).arg(milliseconds(fence));
        for script in self.all() {
            transaction.cmd("SCRIPT").arg("LOAD").arg(&script.code);
        }
        transaction.query_async::<Value>(connection).await.map(drop)
    }
}

/// What the server said: since when it remembers, and the script's own answer.
pub(super) struct Answer {
    pub(super) fence: UnixTime,
    pub(super) held: Vec<u8>,
}

/// Runs a script. `None` if the server has lost its memory, or part of it.
///
/// A server keeps loaded scripts in memory alone: neither in its snapshots nor in its log nor on its replicas. So a server
/// that does not know a script has been restarted, or has taken over from another one, and what it remembers may lack the
/// last claims. One that knows them may have been a replica meanwhile: see [`MARK`].
pub(super) async fn run(
    connection: &mut (impl ConnectionLike + Send),
    script: &Loaded,
    keys: [&str; 2],
    arguments: &[&[u8]],
) -> Result<Option<Answer>, StoreError> {
    let mut command = cmd("EVALSHA");
    command.arg(&script.digest).arg(keys.len()).arg(&keys[..]);
    for argument in arguments {
        command.arg(*argument);
    }
    match command.query_async::<Value>(connection).await {
        Ok(Value::Int(0)) => Ok(None),
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => Ok(None),
        Ok(answer) => {
            let (fence, held): (i64, Vec<u8>) = ::redis::from_redis_value(answer).map_err(StoreError::new)?;
            Ok(Some(Answer { fence: UnixTime::from_nanos(fence.saturating_mul(NANOS)), held }))
        }
        Err(error) => Err(failure(error)),
    }
}

const NANOS: i64 = 1_000_000;

/// Rounded up. Lua counts exactly up to 2^53 only, which nanoseconds have passed long ago.
fn milliseconds(instant: UnixTime) -> i64 {
    let nanos = instant.as_nanos();
    nanos.div_euclid(NANOS).saturating_add(i64::from(nanos.rem_euclid(NANOS) > 0))
}

pub(super) fn failure(error: RedisError) -> StoreError {
    // With `maxmemory-policy noeviction`, which is what `connect` insists on.
    if any_of(&error, |code| code == "OOM") {
        StoreError::full()
    } else if error.is_timeout() {
        StoreError::timed_out()
    } else {
        StoreError::new(error)
    }
}

/// Whether the server's answer, or one of a transaction's, has such a code.
pub(super) fn any_of(error: &RedisError, is_one: impl Fn(&str) -> bool) -> bool {
    error.clone().into_server_errors().is_some_and(|errors| errors.iter().any(|(_, error)| is_one(error.code())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_is_never_rounded_down() {
        for (nanos, expected) in [(0, 0), (1, 1), (NANOS, 1), (NANOS + 1, 2), (-1, 0), (i64::MAX, 9_223_372_036_855)] {
            assert_eq!(milliseconds(UnixTime::from_nanos(nanos)), expected, "{nanos}");
        }
    }
}
