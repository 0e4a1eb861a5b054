//! What is asked of the server: one script for each operation, each of them one round trip and atomic.

use ::redis::aio::ConnectionLike;
use ::redis::{ErrorKind, RedisError, Script, ServerErrorKind, Value, cmd, pipe};

use crate::clock::UnixTime;
use crate::store::StoreError;

/// Every script begins with this. The fence is gone when the data is, whoever deleted them.
const PREAMBLE: &str = "
local fence = redis.call('GET', KEYS[1])
if not fence then return 0 end
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

/// The fence never moves back, and never stays: it is also the mark of the tickets. Not one of the scripts that the server
/// has to know: it is sent whole.
const RAISE: &str = "
local held = tonumber(redis.call('GET', KEYS[1]) or '0')
redis.call('SET', KEYS[1], string.format('%d', math.max(tonumber(ARGV[1]), held + 1)))
";

pub(super) struct Scripts {
    pub(super) claim: Loaded,
    pub(super) settle: Loaded,
    pub(super) release: Loaded,
    pub(super) put: Loaded,
    pub(super) take: Loaded,
    pub(super) look: Loaded,
}

/// A script, and the digest by which the server knows it once it was loaded.
pub(super) struct Loaded {
    code: String,
    digest: String,
}

impl Loaded {
    fn new(code: &str) -> Self {
        let code = [PREAMBLE, code].concat();
        let digest = Script::new(&code).get_hash().to_owned();
        Self { code, digest }
    }
}

impl Scripts {
    pub(super) fn new() -> Self {
        let [claim, settle, release, put, take, look] = [CLAIM, SETTLE, RELEASE, PUT, TAKE, LOOK].map(Loaded::new);
        Self { claim, settle, release, put, take, look }
    }

    fn all(&self) -> [&Loaded; 6] {
        [&self.claim, &self.settle, &self.release, &self.put, &self.take, &self.look]
    }

    /// Makes the server remember from here on: the fence and the scripts in one transaction, so that where a script is
    /// known, the fence is as young as the server's memory.
    pub(super) async fn install(
        &self,
        connection: &mut (impl ConnectionLike + Send),
        fence_key: &str,
        fence: UnixTime,
    ) -> Result<(), RedisError> {
        let mut transaction = pipe();
        transaction.atomic().cmd("EVAL").arg(RAISE).arg(1).arg(fence_key).arg(milliseconds(fence));
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
/// last claims.
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
    match error.code() {
        // With `maxmemory-policy noeviction`, which is what `connect` insists on.
        Some("OOM") => StoreError::full(),
        _ if error.is_timeout() => StoreError::timed_out(),
        _ => StoreError::new(error),
    }
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
