//! The slowest of ten million calls, in waves. criterion's means would hide it.

use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

pub(crate) const WAVES: u64 = 25;
pub(crate) const WAVE: u64 = 400_000;

/// The elapsed time and the CPU time of one call, in nanoseconds.
///
/// With more threads than processors, calls are often preempted, so only the CPU time is their own.
#[derive(Clone, Copy)]
struct Call {
    wall: u32,
    cpu: Option<u32>,
}

/// The CPU time of this thread.
#[cfg(target_os = "linux")]
fn thread_cpu() -> Option<Duration> {
    use rustix::time::{ClockId, clock_gettime};

    clock_gettime(ClockId::ThreadCPUTime).try_into().ok()
}

#[cfg(not(target_os = "linux"))]
fn thread_cpu() -> Option<Duration> {
    None
}

fn nanos(time: Duration) -> u32 {
    u32::try_from(time.as_nanos()).unwrap_or(u32::MAX)
}

#[derive(Default)]
pub(crate) struct Times(Vec<Call>);

impl Times {
    /// Runs one wave of calls on several threads.
    pub(crate) fn wave(&mut self, threads: u64, call: impl Fn() + Sync) {
        let timed = |_| {
            let (cpu, wall) = (thread_cpu(), Instant::now());
            call();
            let wall = wall.elapsed();
            let cpu = thread_cpu().zip(cpu).map(|(after, before)| nanos(after.saturating_sub(before)));
            Call { wall: nanos(wall), cpu }
        };
        thread::scope(|scope| {
            let work = || (0..WAVE / threads).map(timed).collect::<Vec<_>>();
            let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            handles.into_iter().for_each(|handle| self.0.extend(handle.join().unwrap()));
        });
    }

    pub(crate) fn summary(mut self) -> Summary {
        let most_cpu = self.0.iter().filter_map(|call| call.cpu).max();
        self.0.sort_unstable_by_key(|call| call.wall);
        let all_but = |share: usize| self.0[self.0.len() - 1 - self.0.len() / share];
        let worst = self.0[self.0.len() - 1];
        let walls = [worst, all_but(10_000), all_but(100), all_but(2)].map(|call| call.wall);
        Summary { walls, cpu_of_worst: worst.cpu, most_cpu }
    }
}

/// Over all calls of all waves.
pub(crate) struct Summary {
    /// The worst, 99.99 %, 99 % and the median.
    walls: [u32; 4],
    cpu_of_worst: Option<u32>,
    most_cpu: Option<u32>,
}

impl Summary {
    /// The ratios to another result.
    pub(crate) fn over(&self, floor: &Self) -> String {
        let [worst, most, many, median] =
            [0, 1, 2, 3].map(|n| f64::from(self.walls[n]) / f64::from(floor.walls[n].max(1)));
        format!("worst {worst:.2}, 99.99 % {most:.1}, 99 % {many:.1}, median {median:.1}")
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |nanos: u32| Duration::from_nanos(nanos.into());
        let [worst, most, many, median] = self.walls.map(time);
        write!(f, "worst {worst:.1?}, 99.99 % {most:.1?}, 99 % {many:.1?}, median {median:.1?}")?;
        if let (Some(of_worst), Some(most)) = (self.cpu_of_worst, self.most_cpu) {
            write!(f, "; processor: {:.1?} for the worst, {:.1?} at most for any", time(of_worst), time(most))?;
        }
        Ok(())
    }
}

/// The machine's load average; empty if the system does not report it.
pub(crate) fn load() -> String {
    std::fs::read_to_string("/proc/loadavg").map(|load| load.trim().to_owned()).unwrap_or_default()
}
