//! Finds out from its error why a body did not arrive.

use std::error::Error;
use std::io;

use crate::rejection::Reason;

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// Errors wrap each other. The search goes no deeper than this.
const DEEPEST: usize = 16;

/// The words go to the log.
const LONGEST: usize = 120;

/// The reason in a body's error, which may be anywhere in its chain of sources.
pub(crate) fn reason(error: &BoxError) -> Reason {
    let mut innermost: &(dyn Error + 'static) = error.as_ref();
    for _ in 0..DEEPEST {
        if innermost.is::<http_body_util::LengthLimitError>() {
            return Reason::BodyOverOuterLimit;
        }
        if is_timeout(innermost) {
            return Reason::BodyTimeout;
        }
        match source(innermost) {
            Some(source) => innermost = source,
            None => break,
        }
    }
    Reason::IncompleteBody(innermost.to_string().chars().take(LONGEST).collect::<String>().into())
}

/// The `source` of an `io::Error` is that of the error that it wraps, not that error.
fn source<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    wrapped.map(|error| error as &(dyn Error + 'static)).or_else(|| error.source())
}

/// The timeout types of hyper and tower-http are private or differ between versions, so their text has to do. A wrong
/// guess only turns a 400 into a 408.
fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    match error.downcast_ref::<io::Error>() {
        Some(error) => error.kind() == io::ErrorKind::TimedOut,
        None if error.is::<tokio::time::error::Elapsed>() => true,
        None => {
            error.source().is_none() && {
                let words = error.to_string();
                words.contains("timed out") || words.contains("timeout")
            }
        }
    }
}
