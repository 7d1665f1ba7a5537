//! Answers only at multiples of a bucket, so that a job's run time below it cannot be read off:
//! neither from when the answer comes, nor from the figures in it, nor from when output streams.

use crate::drive::{JobIo, JobOutput};
use protocol::result::JobResult;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Output chunks that wait here; a job's output is bounded by its limit.
const KEPT_CHUNKS: usize = 64;

/// The next multiple of `bucket` at or after `elapsed`.
pub fn round_up(elapsed: Duration, bucket: Duration) -> Duration {
    if bucket.is_zero() {
        return elapsed;
    }
    let buckets = elapsed.as_nanos().div_ceil(bucket.as_nanos()).max(1);
    Duration::from_nanos(u64::try_from(buckets * bucket.as_nanos()).unwrap_or(u64::MAX))
}

/// Runs a job behind the bucket.
pub async fn run<F>(bucket: Duration, mut io: JobIo, job: impl FnOnce(JobIo) -> F) -> JobResult
where
    F: Future<Output = JobResult>,
{
    let begun = Instant::now();
    let caller = io.output.take();
    let (keep, mut kept) = mpsc::channel::<JobOutput>(KEPT_CHUNKS);
    io.output = caller.as_ref().map(|_| keep.clone());
    drop(keep);
    let collect = async {
        let mut all = Vec::new();
        while let Some(output) = kept.recv().await {
            all.push(output);
        }
        all
    };
    let (mut result, outputs) = tokio::join!(job(io), collect);
    let answer_at = round_up(begun.elapsed(), bucket);
    coarsen(&mut result, answer_at, bucket);
    tokio::time::sleep_until(begun + answer_at).await;
    if let Some(caller) = caller {
        for output in outputs {
            // A caller that left gets nothing more; the job is over anyway.
            if caller.send(output).await.is_err() {
                break;
            }
        }
    }
    result
}

/// Takes every finer time out of the result.
fn coarsen(result: &mut JobResult, answer_at: Duration, bucket: Duration) {
    let round = |seconds: f64| match Duration::try_from_secs_f64(seconds) {
        Ok(time) if !time.is_zero() => round_up(time, bucket).as_secs_f64(),
        _ => 0.0,
    };
    let total = answer_at.as_secs_f64();
    result.timings.total = total;
    result.timings.queue = 0.0;
    result.timings.boot = 0.0;
    result.timings.compile = 0.0;
    result.timings.execute = total;
    result.usage.cpu_seconds = round(result.usage.cpu_seconds);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drive::OutputStream;
    use proptest::prelude::*;
    use protocol::error_code::ErrorCode;
    use protocol::result::{Failure, Status};
    use protocol::trace_id::TraceId;

    const BUCKET: Duration = Duration::from_secs(2);

    proptest! {
        #[test]
        fn rounding_goes_to_the_next_multiple(elapsed in 0u64..10_000_000, bucket in 1u64..1_000_000) {
            let rounded = round_up(Duration::from_micros(elapsed), Duration::from_micros(bucket)).as_micros() as u64;
            prop_assert!(rounded >= elapsed && rounded.is_multiple_of(bucket));
            prop_assert!(rounded < elapsed + bucket || elapsed == 0);
        }
    }

    /// What a caller sees of a job that prints at once and runs for that long: when each thing came,
    /// and the result.
    async fn seen_of(run_time: Duration) -> (Duration, Duration, JobResult) {
        let (output, mut outputs) = mpsc::channel(1);
        let io = JobIo {
            output: Some(output),
            ..JobIo::default()
        };
        let begun = Instant::now();
        let job = async move |io: JobIo| {
            let printed = JobOutput {
                stream: OutputStream::Stdout,
                data: b"x".to_vec(),
            };
            io.output.unwrap().send(printed).await.unwrap();
            tokio::time::sleep(run_time).await;
            let failure = Failure {
                code: ErrorCode::HostFailed,
                message: "x".into(),
                field: None,
            };
            let mut result =
                JobResult::failed(TraceId::parse("t").unwrap(), Status::Internal, failure);
            let seconds = run_time.as_secs_f64();
            result.timings.queue = seconds / 9.0;
            result.timings.boot = seconds / 7.0;
            result.timings.compile = seconds / 5.0;
            result.timings.execute = seconds / 3.0;
            result.timings.total = seconds;
            result.usage.cpu_seconds = seconds / 2.0;
            result
        };
        let first_output = async {
            outputs.recv().await.unwrap();
            begun.elapsed()
        };
        let (result, printed_at) = tokio::join!(run(BUCKET, io, job), first_output);
        (begun.elapsed(), printed_at, result)
    }

    #[tokio::test(start_paused = true)]
    async fn two_run_times_under_the_bucket_answer_alike() {
        let short = seen_of(Duration::from_millis(3)).await;
        let long = seen_of(Duration::from_millis(1999)).await;
        assert_eq!(short, long);
        // Nothing came before the bucket's end, output included.
        assert!(short.1 >= BUCKET, "{:?}", short.1);
        assert_eq!(short.2.timings.total, 2.0);
        let over = seen_of(Duration::from_millis(2001)).await;
        assert_eq!((over.2.timings.total, over.1 >= 2 * BUCKET), (4.0, true));
    }
}
