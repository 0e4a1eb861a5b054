//! The table of results.

use std::time::Duration;

/// One server's turn.
struct Turn {
    /// Sorted.
    latencies: Vec<Duration>,
    /// The server's CPU time per request in microseconds; `None` if the system does not report it.
    cpu: Option<f64>,
}

/// One server's results, turn by turn.
#[derive(Default)]
pub(crate) struct Side(Vec<Turn>);

impl Side {
    /// `cpu` in nanoseconds.
    pub(crate) fn add(&mut self, mut latencies: Vec<Duration>, cpu: Option<u64>) {
        latencies.sort_unstable();
        let cpu = cpu.map(|cpu| cpu as f64 / 1e3 / latencies.len() as f64);
        self.0.push(Turn { latencies, cpu });
    }

    fn percentile(&self, percent: usize) -> f64 {
        let mut all: Vec<Duration> = self.0.iter().flat_map(|turn| &turn.latencies).copied().collect();
        all.sort_unstable();
        percentile(&all, percent)
    }

    /// The median over turns, which excludes stalls of the machine.
    fn percentile_of_a_turn(&self, percent: usize) -> f64 {
        quantile(self.0.iter().map(|turn| percentile(&turn.latencies, percent)).collect(), 0.5)
    }

    fn cpu(&self) -> Option<f64> {
        Some(quantile(self.0.iter().map(|turn| turn.cpu).collect::<Option<_>>()?, 0.5))
    }
}

/// A route.
pub(crate) struct Row {
    name: &'static str,
    rate: f64,
    pub(crate) layered: Side,
    pub(crate) bare: Side,
}

impl Row {
    pub(crate) fn new(name: &'static str, rate: f64) -> Self {
        Self { name, rate, layered: Side::default(), bare: Side::default() }
    }

    /// The CPU time that the layers add per request, from adjacent turns: the median, and the quartiles as a measure of
    /// noise.
    fn added(&self) -> Option<[f64; 3]> {
        let pairs = self.layered.0.iter().zip(&self.bare.0);
        let differences: Vec<f64> =
            pairs.map(|(layered, bare)| Some(layered.cpu? - bare.cpu?)).collect::<Option<_>>()?;
        Some([0.5, 0.25, 0.75].map(|part| quantile(differences.clone(), part)))
    }
}

/// A percentile in microseconds.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e6)
}

fn quantile(mut values: Vec<f64>, part: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(((values.len() as f64 - 1.0) * part).round() as usize).copied().unwrap_or(f64::NAN)
}

pub(crate) fn print(what: &str, rows: &[Row]) {
    if rows.is_empty() {
        return;
    }
    println!("{what}, in µs. p99: of all answers, and the median over turns. CPU: the server's, per request.\n");
    println!("| route | requests/s | p50 | p99 | p99 of a turn | CPU | the layers' CPU (quartiles) |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for row @ Row { name, rate, layered, bare } in rows {
        let beside = |layered: f64, bare: f64| format!("{layered:.0} / {bare:.0} ({:.2}×)", layered / bare);
        let p50 = beside(layered.percentile(50), bare.percentile(50));
        let p99 = beside(layered.percentile(99), bare.percentile(99));
        let turn = beside(layered.percentile_of_a_turn(99), bare.percentile_of_a_turn(99));
        let cpu = layered.cpu().zip(bare.cpu()).map_or("–".to_owned(), |(layered, bare)| beside(layered, bare));
        let added =
            row.added().map_or("–".to_owned(), |[median, low, high]| format!("{median:.1} ({low:.1}–{high:.1})"));
        println!("| {name} | {rate} | {p50} | {p99} | {turn} | {cpu} | {added} |");
    }
}
