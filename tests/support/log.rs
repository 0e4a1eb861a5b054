//! What one test logs, whatever other tests log meanwhile.
//!
//! One subscriber serves the whole process. With one for each test, a line may be lost: tracing remembers it as unwanted
//! if a test without a subscriber reaches it first.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::{self, Write};
use std::marker::PhantomData;
use std::sync::Once;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, dynamic_filter_fn};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

thread_local! {
    static LOGGED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
    static SPANS: RefCell<Vec<Span>> = const { RefCell::new(Vec::new()) };
}

/// A span that has ended: its target, level and name, and its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub of: String,
    pub fields: Fields,
}

pub type Fields = BTreeMap<&'static str, String>;

/// Keeps what this thread logs, at any level, until it is dropped.
pub struct Log(PhantomData<*const ()>);

impl Log {
    pub fn start() -> Self {
        subscribe();
        LOGGED.set(Some(Vec::new()));
        SPANS.take();
        Self(PhantomData)
    }

    pub fn text(&self) -> String {
        LOGGED.with_borrow(|logged| String::from_utf8(logged.clone().unwrap()).unwrap())
    }

    /// The spans that have ended on this thread.
    pub fn spans(&self) -> Vec<Span> {
        SPANS.with_borrow(Clone::clone)
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
        let lines = lines.with_writer(|| Writer).finish();
        tracing::subscriber::set_global_default(lines.with(Spans).with(is_kept)).unwrap();
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

struct Spans;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Seen::default();
        attributes.record(&mut fields);
        context.span(id).unwrap().extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        values.record(span.extensions_mut().get_mut::<Seen>().unwrap());
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).unwrap();
        let Seen(fields) = span.extensions_mut().remove().unwrap();
        let metadata: &Metadata<'_> = span.metadata();
        let of = format!("{} {} {}", metadata.level(), metadata.target(), metadata.name());
        SPANS.with_borrow_mut(|spans| spans.push(Span { of, fields }));
    }
}

#[derive(Default)]
struct Seen(Fields);

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}
