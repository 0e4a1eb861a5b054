//! The log, which has no say in what is served. Lines go through a bounded queue to a thread of their own; what finds no room
//! in it, or cannot be written, is dropped and counted.
//!
//! tracing-subscriber by itself writes in the thread that logs: a reader that stands still stops the server, and one that is
//! gone breaks off every request that logs.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// Lines that wait to be written. A line is some 150 bytes.
const QUEUE: usize = 10_000;

/// What is logged unless `RUST_LOG` says otherwise. tower-sessions warns of each cookie whose session has ended.
const FILTER: &str = "info,tower_sessions_core=error,tower_sessions=error";

/// Lines that nobody will read. Clones share the number.
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

/// Logs to standard error. What waits is written when the guard is dropped, if that takes no more than a second.
pub(crate) fn start() -> io::Result<(Lost, WorkerGuard)> {
    let unwritten = Arc::<AtomicU64>::default();
    let output = Output { to: standard_error()?, unwritten: Arc::clone(&unwritten) };
    let (writer, guard) = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(QUEUE).finish(output);
    let lost = Lost { without_room: writer.error_counter(), unwritten };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(FILTER));
    // Standard output is for the address alone. An error of the log's own would be told by `eprintln!`, which panics.
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).log_internal_errors(false).init();
    // The default writes to standard error itself, and waits for its reader.
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "panicked")));
    Ok((lost, guard))
}

/// Not `std::io::stderr()`: whoever else wants to say something there would wait for our lock.
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
        // It has no buffer.
        Ok(())
    }
}
