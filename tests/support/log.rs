//! What one test logs, whatever other tests log meanwhile.
//!
//! One subscriber serves the whole process. With one for each test, a line may be lost: tracing remembers it as unwanted
//! if a test without a subscriber reaches it first.

use std::cell::RefCell;
use std::io::{self, Write};
use std::marker::PhantomData;
use std::sync::Once;

use tracing_subscriber::filter::{LevelFilter, dynamic_filter_fn};
use tracing_subscriber::layer::SubscriberExt;

thread_local! {
    static LOGGED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Keeps what this thread logs, at any level, until it is dropped.
pub struct Log(PhantomData<*const ()>);

impl Log {
    pub fn start() -> Self {
        subscribe();
        LOGGED.set(Some(Vec::new()));
        Self(PhantomData)
    }

    pub fn text(&self) -> String {
        LOGGED.with_borrow(|logged| String::from_utf8(logged.clone().unwrap()).unwrap())
    }

    pub fn warnings(&self) -> Vec<String> {
        self.lines("WARN")
    }

    pub fn lines(&self, level: &str) -> Vec<String> {
        let level = format!(" {level} ");
        self.text().lines().filter(|line| line.contains(&level)).map(str::to_owned).collect()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        LOGGED.set(None);
    }
}

/// Makes tracing ask for each line whether it is wanted.
pub fn subscribe() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let lines = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_ansi(false);
        let is_kept = dynamic_filter_fn(|_, _| LOGGED.with_borrow(Option::is_some));
        tracing::subscriber::set_global_default(lines.with_writer(|| Writer).finish().with(is_kept)).unwrap();
    });
}

struct Writer;

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.as_mut().map_or(Ok(bytes.len()), |logged| logged.write(bytes)))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
