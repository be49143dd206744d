//! Time as the processor spent it on this thread, so that what else runs on the machine does not count.

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use rustix::time::{ClockId, clock_gettime};

static WALL_TIME: WallTime = WallTime;

pub(crate) struct CpuTime;

impl Measurement for CpuTime {
    type Intermediate = u64;
    /// Nanoseconds.
    type Value = u64;

    fn start(&self) -> u64 {
        let now = clock_gettime(ClockId::ThreadCPUTime);
        u64::try_from(now.tv_sec * 1_000_000_000 + now.tv_nsec).expect("a thread's time is above zero")
    }

    fn end(&self, start: u64) -> u64 {
        self.start() - start
    }

    fn add(&self, one: &u64, other: &u64) -> u64 {
        one + other
    }

    fn zero(&self) -> u64 {
        0
    }

    fn to_f64(&self, nanoseconds: &u64) -> f64 {
        // Far below 2^53.
        *nanoseconds as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        // Nanoseconds are written as those of a clock on the wall.
        WALL_TIME.formatter()
    }
}
