//! How the service fared of late, as time series for charts: the last hour in steps of ten seconds, the last day in steps
//! of five minutes. In memory, of a fixed size, and of the whole service: it names no key and no job.

use crate::app::App;
use crate::auth::Observer;
use crate::feed::{Latency, latency_of};
use crate::jobs::body::JobRow;
use crate::problem::{HttpCode, Problem};
use crate::sandboxes::extract::taken;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use utoipa::{IntoParams, ToSchema};

/// How often what has no event of its own is looked at.
const SAMPLE: Duration = Duration::from_secs(10);
/// Times of one path that percentiles of one step are taken of; later ones of the same step are only counted.
const TIMES: usize = 256;

/// Minutes of a series, the seconds of its steps.
const SERIES: [(u32, i64); 2] = [(60, 10), (24 * 60, 300)];

/// The time series that is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// 60: the last hour; 1440: the last day. 60 where it is absent.
    pub minutes: Option<u32>,
}

/// A time series.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HistoryBody {
    /// Seconds from one point to the next.
    pub step_seconds: i64,
    /// Oldest first, without gaps since the service started; the last one is not over yet.
    pub points: Vec<Point>,
}

/// What happened in one step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Point {
    /// When it began, in seconds since 1970 (UTC).
    pub at: i64,
    /// Jobs that ended, by status.
    pub jobs: BTreeMap<&'static str, u64>,
    /// How long they took, by the way their VMs came.
    pub latency: Vec<Latency>,
    /// Requests that were refused, by code.
    pub refusals: BTreeMap<&'static str, u64>,
    /// VMs that waited in the pool, at the last look.
    pub pool_ready: u64,
    /// The most jobs that ran at any look.
    pub running: u64,
    /// The most jobs that waited at any look.
    pub queue: u64,
    /// Host memory that VMMs held, in bytes, at the last look.
    pub memory_held_bytes: u64,
}

/// What only looking tells.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sample {
    /// VMs that wait in the pool.
    pub pool_ready: u64,
    /// Host memory that VMMs hold, in bytes.
    pub memory_held_bytes: u64,
}

#[derive(Debug)]
struct Series {
    minutes: u32,
    step: i64,
    closed: VecDeque<Point>,
    open: Point,
    times: BTreeMap<&'static str, (usize, Vec<f64>)>,
}

impl Series {
    fn new((minutes, step): (u32, i64)) -> Series {
        Series {
            minutes,
            step,
            closed: VecDeque::new(),
            open: Point::default(),
            times: BTreeMap::new(),
        }
    }

    fn most(&self) -> usize {
        (i64::from(self.minutes) * 60 / self.step) as usize
    }

    /// The point that this moment belongs to; those before it are closed.
    fn at(&mut self, now: i64) -> &mut Point {
        let begins = now - now.rem_euclid(self.step);
        if self.open.at == 0 {
            self.open.at = begins;
        }
        // After a long sleep of the host only what fits is made up.
        let earliest = begins - self.step * self.most() as i64;
        if self.open.at < earliest {
            self.closed.clear();
            self.open.at = earliest;
        }
        while self.open.at < begins {
            let next = Point {
                at: self.open.at + self.step,
                pool_ready: self.open.pool_ready,
                memory_held_bytes: self.open.memory_held_bytes,
                ..Point::default()
            };
            let closed = std::mem::replace(&mut self.open, next);
            let closed = Point {
                latency: latencies(&self.times),
                ..closed
            };
            self.times.clear();
            self.closed.push_back(closed);
            if self.closed.len() >= self.most() {
                self.closed.pop_front();
            }
        }
        &mut self.open
    }

    fn body(&self) -> HistoryBody {
        let open = Point {
            latency: latencies(&self.times),
            ..self.open.clone()
        };
        HistoryBody {
            step_seconds: self.step,
            points: self.closed.iter().cloned().chain([open]).collect(),
        }
    }
}

fn latencies(times: &BTreeMap<&'static str, (usize, Vec<f64>)>) -> Vec<Latency> {
    let latency = |(path, (count, times)): (&&str, &(usize, Vec<f64>))| Latency {
        count: *count,
        ..latency_of(path, times.iter().copied())
    };
    times.iter().map(latency).collect()
}

/// All series. Pure but for the clock.
#[derive(Debug)]
pub struct History(Mutex<[Series; 2]>);

impl Default for History {
    fn default() -> Self {
        History(Mutex::new(SERIES.map(Series::new)))
    }
}

impl History {
    fn each(&self, mut change: impl FnMut(&mut Series, i64)) {
        let now = now();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for series in all.iter_mut() {
            series.at(now);
            change(series, now);
        }
    }

    /// A job ended.
    pub fn ended(&self, row: &JobRow) {
        self.each(|series, _| {
            *series.open.jobs.entry(row.status).or_default() += 1;
            if let (Some(path), Some(seconds)) = (row.path, row.total_seconds) {
                let (count, times) = series.times.entry(path).or_default();
                *count += 1;
                if times.len() < TIMES {
                    times.push(seconds);
                }
            }
        });
    }

    /// A request was refused.
    pub fn refused(&self, code: &'static str) {
        self.each(|series, _| *series.open.refusals.entry(code).or_default() += 1);
    }

    /// So many jobs run and wait. Told at each look, and whenever a job's turn comes: what is over between two looks was
    /// at work, too.
    pub fn loaded(&self, (running, waiting): (usize, usize)) {
        self.each(|series, _| {
            let open = &mut series.open;
            open.running = open.running.max(running as u64);
            open.queue = open.queue.max(waiting as u64);
        });
    }

    /// Somebody looked.
    pub fn sampled(&self, sample: Sample) {
        self.each(|series, _| {
            let open = &mut series.open;
            open.pool_ready = sample.pool_ready;
            open.memory_held_bytes = sample.memory_held_bytes;
        });
    }

    /// The series of so many minutes.
    fn body(&self, minutes: u32) -> Option<HistoryBody> {
        let mut body = None;
        self.each(|series, _| {
            if series.minutes == minutes {
                body = Some(series.body());
            }
        });
        body
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs() as i64)
}

/// Looks every few seconds; never returns.
pub async fn sample(app: &Arc<App>) {
    let mut ticks = tokio::time::interval(SAMPLE);
    loop {
        ticks.tick().await;
        let held = crate::metrics::memory_held(app).await;
        let sandbox = &app.rooms.sandbox;
        let ready = sandbox.supply().pool().sizes();
        app.history.loaded(sandbox.load());
        app.history.sampled(Sample {
            pool_ready: ready.values().map(|(ready, _)| *ready as u64).sum(),
            memory_held_bytes: held,
        });
        app.jobs.forget_old();
    }
}

/// Time series of the last hour or day: jobs by status, latency, load, memory, refusals. Numbers of the whole service.
#[utoipa::path(
    get, path = "/api/v1/history", tag = "operation", params(HistoryQuery),
    responses((status = 200, description = "The series", body = HistoryBody)),
)]
pub async fn history(
    State(app): State<Arc<App>>,
    _: Observer,
    query: Result<Query<HistoryQuery>, QueryRejection>,
) -> Result<Json<HistoryBody>, Problem> {
    let HistoryQuery { minutes } = taken(query, "minutes")?;
    let body = app.history.body(minutes.unwrap_or(60));
    body.map(Json).ok_or_else(|| {
        let sentence = "minutes is 60, the last hour, or 1440, the last day";
        Problem::with(HttpCode::FieldInvalid, sentence).field("minutes")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_follow_each_other_and_are_bounded() {
        let mut series = Series::new((60, 10));
        let begun = 1_000_003;
        *series.at(begun).jobs.entry("ok").or_default() += 1;
        series.times.insert("boot", (2, vec![1.0, 3.0]));
        series.at(begun + 35);
        let points = series.body().points;
        let at: Vec<i64> = points.iter().map(|point| point.at).collect();
        assert_eq!(at, [1_000_000, 1_000_010, 1_000_020, 1_000_030]);
        assert_eq!(points[0].jobs["ok"], 1);
        assert_eq!(points[0].latency[0].p95_seconds, 3.0);
        assert!(points[1].jobs.is_empty() && points[1].latency.is_empty());
        for later in [10_000, 10_000_000] {
            series.at(begun + later);
            let points = series.body().points;
            assert_eq!(points.len(), 360);
            let steps = points.windows(2).map(|pair| pair[1].at - pair[0].at);
            assert!(steps.into_iter().all(|step| step == 10));
        }
    }

    #[test]
    fn a_job_that_is_over_before_the_next_look_was_at_work() {
        let history = History::default();
        history.loaded((2, 1));
        history.loaded((0, 0));
        let points = history.body(60).unwrap().points;
        let most = |of: fn(&Point) -> u64| points.iter().map(of).max();
        assert_eq!(most(|point| point.running), Some(2));
        assert_eq!(most(|point| point.queue), Some(1));
    }

    #[test]
    fn what_a_step_holds_is_bounded() {
        let mut series = Series::new((60, 10));
        for n in 0..10_000 {
            series.at(1_000_000);
            let (count, times) = series.times.entry("pool").or_default();
            *count += 1;
            if times.len() < TIMES {
                times.push(f64::from(n));
            }
        }
        let points = series.body().points;
        assert_eq!(points[0].latency[0].count, 10_000);
    }
}
