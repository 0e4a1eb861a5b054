//! A log that cannot stop the server. Lines go through a bounded queue to a writer thread. Lines that do not fit or cannot be
//! written are dropped and counted.
//!
//! By default, tracing-subscriber writes in the thread that logs: a blocked log reader stops the server, and a closed one
//! makes every request that logs panic.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// In lines of about 150 bytes.
const QUEUE: usize = 10_000;

/// The default for `RUST_LOG`. tower-sessions would warn about every cookie whose session has ended.
const FILTER: &str = "info,tower_sessions_core=error,tower_sessions=error";

/// Counts lost lines. Clones share the count.
#[derive(Clone)]
pub(crate) struct Lost {
    without_room: ErrorCounter,
    unwritten: Arc<AtomicU64>,
}

impl Lost {
    pub(crate) fn lines(&self) -> u64 {
        let without_room = u64::try_from(self.without_room.dropped_lines()).unwrap_or(u64::MAX);
        without_room.saturating_add(self.unwritten.load(Ordering::Relaxed))
    }
}

/// Logs to standard error. Dropping the guard writes queued lines, for at most a second.
pub(crate) fn start() -> io::Result<(Lost, WorkerGuard)> {
    let unwritten = Arc::<AtomicU64>::default();
    let output = Output { to: standard_error()?, unwritten: Arc::clone(&unwritten) };
    let (writer, guard) = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(QUEUE).finish(output);
    let lost = Lost { without_room: writer.error_counter(), unwritten };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(FILTER));
    // Standard output carries only the address. Internal errors are off because they go to `eprintln!`, which can panic.
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).log_internal_errors(false).init();
    // The default hook writes to standard error directly, and would block on its reader.
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "panicked")));
    Ok((lost, guard))
}

/// Avoids `std::io::stderr()`, whose lock we would hold while blocked.
#[cfg(unix)]
fn standard_error() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(File::from(io::stderr().as_fd().try_clone_to_owned()?))
}

#[cfg(not(unix))]
fn standard_error() -> io::Result<io::Stderr> {
    Ok(io::stderr())
}

struct Output<W> {
    to: W,
    unwritten: Arc<AtomicU64>,
}

impl<W: Write> Write for Output<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.to.write_all(line).is_err() {
            self.unwritten.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // Unbuffered.
        Ok(())
    }
}
