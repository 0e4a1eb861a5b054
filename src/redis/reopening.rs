//! A connection that is opened anew where redis-rs would keep it: [`Reopening`].

use std::slice::from_ref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::redis::aio::ConnectionLike;
use ::redis::{Cmd, Pipeline, RedisError, RedisFuture, RedisResult, Value};

use super::script::any_of;

/// redis-rs reopens a connection that breaks. It keeps two that are of no use:
///
/// - To a server that has become a replica, which does not close it. A name or an address may lead to the new master by
///   now.
/// - One that the server refused to open: it had too many clients, or did not take the password yet.
pub(super) struct Reopening<C>(Arc<Inner<C>>);

struct Inner<C> {
    current: Mutex<Current<C>>,
    /// `None`: the connection is not ours to open.
    open: Option<Box<Open<C>>>,
}

type Open<C> = dyn Fn() -> RedisResult<C> + Send + Sync;

#[derive(Clone)]
struct Current<C> {
    connection: C,
    /// How many there were before.
    number: u64,
}

impl<C> Reopening<C> {
    /// Opens it now, without waiting for the server, and again whenever it has to.
    pub(super) fn opened_by(open: impl Fn() -> RedisResult<C> + Send + Sync + 'static) -> RedisResult<Self> {
        Ok(Self::with(open()?, Some(Box::new(open))))
    }

    /// One that is never reopened here.
    pub(super) fn never(connection: C) -> Self {
        Self::with(connection, None)
    }

    fn with(connection: C, open: Option<Box<Open<C>>>) -> Self {
        Self(Arc::new(Inner { current: Mutex::new(Current { connection, number: 0 }), open }))
    }

    fn lock(&self) -> MutexGuard<'_, Current<C>> {
        // A panic under the lock cannot have left it half changed.
        self.0.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unless another request has done so already.
    fn reopen(&self, number: u64) {
        let Some(open) = &self.0.open else { return };
        let mut current = self.lock();
        if current.number == number
            && let Ok(connection) = open()
        {
            *current = Current { connection, number: number + 1 };
        }
    }
}

impl<C: ConnectionLike + Clone + Send> ConnectionLike for Reopening<C> {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let Current { mut connection, number } = self.lock().clone();
            let result = connection.req_packed_command(cmd).await;
            if is_useless(&result, from_ref) {
                self.reopen(number);
            }
            result
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let Current { mut connection, number } = self.lock().clone();
            let result = connection.req_packed_commands(pipeline, offset, count).await;
            if is_useless(&result, Vec::as_slice) {
                self.reopen(number);
            }
            result
        })
    }

    fn get_db(&self) -> i64 {
        self.lock().connection.get_db()
    }
}

impl<C> Clone for Reopening<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

fn is_useless<T>(result: &RedisResult<T>, answers: impl Fn(&T) -> &[Value]) -> bool {
    // Neither broken, nor a server's answer to a command.
    let was_not_opened = |error: &RedisError| !error.is_io_error() && error.clone().into_server_errors().is_none();
    result.as_ref().is_err_and(was_not_opened) || is_refused(result, answers, is_replica)
}

/// Whether the server refuses with such a code, as a whole or a part of it.
pub(super) fn is_refused<T>(
    result: &RedisResult<T>,
    answers: impl Fn(&T) -> &[Value],
    is_one: impl Copy + Fn(&str) -> bool,
) -> bool {
    fn holds(answer: &Value, is_one: impl Copy + Fn(&str) -> bool) -> bool {
        match answer {
            Value::ServerError(error) => is_one(error.code()),
            Value::Array(answers) => answers.iter().any(|answer| holds(answer, is_one)),
            _ => false,
        }
    }
    match result {
        // Inside an answer, a server's refusal is a value and not an `Err`.
        Ok(answer) => answers(answer).iter().any(|answer| holds(answer, is_one)),
        Err(error) => any_of(error, is_one),
    }
}

pub(super) fn is_replica(code: &str) -> bool {
    matches!(code, "READONLY" | "MASTERDOWN")
}
