//! Jobs a second with several at once.

use crate::BenchError;
use std::time::Instant;
use tokio::task::JoinSet;

/// Runs `jobs` jobs, `concurrency` at once, each to its right answer, and gives jobs a second.
pub async fn jobs_per_second<F, Done>(
    jobs: usize,
    concurrency: usize,
    job: F,
) -> Result<f64, BenchError>
where
    F: Fn() -> Done + Clone + Send + 'static,
    Done: Future<Output = Result<(), BenchError>> + Send,
{
    let concurrency = concurrency.max(1);
    let begun = Instant::now();
    let mut workers = JoinSet::new();
    for worker in 0..concurrency {
        let job = job.clone();
        // The remainder goes to the first workers.
        let share = jobs / concurrency + usize::from(worker < jobs % concurrency);
        workers.spawn(async move {
            for _ in 0..share {
                job().await?;
            }
            Ok::<(), BenchError>(())
        });
    }
    while let Some(done) = workers.join_next().await {
        match done {
            Ok(outcome) => outcome?,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    Ok(jobs as f64 / begun.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn every_job_is_run_once() {
        for (jobs, concurrency) in [(7, 4), (2, 4), (8, 1)] {
            let ran = Arc::new(AtomicUsize::new(0));
            let counter = ran.clone();
            let job = move || {
                let counter = counter.clone();
                async move {
                    counter.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                }
            };
            assert!(jobs_per_second(jobs, concurrency, job).await.unwrap() > 0.0);
            assert_eq!(ran.load(Ordering::SeqCst), jobs);
        }
    }
}
