//! What is known without looking far: whether the service stops, whether its pool is filled, whether its disk has room.

use super::Check;
use crate::app::App;
use protocol::language::Language;
use sandbox::pool::ShelfState;
use std::collections::BTreeMap;
use std::time::Duration;

const MIB: u64 = 1024 * 1024;

/// How long a pool may take to be filled for the first time before it is said to take too long.
const FILLING: Duration = Duration::from_secs(5 * 60);

pub(super) fn serving(app: &App) -> Check {
    match app.draining.is_cancelled() {
        false => Check::good("serving", "jobs are taken"),
        true => Check::bad(
            "serving",
            "the service stops",
            "ask another host; this one comes back once it is started again",
        ),
    }
}

/// Jobs that find a shelf empty clone or boot a VM of their own, so a pool is waited for once, while it
/// fills for the first time; neither a VM that is taken nor a language that cannot be made stops the
/// service from serving, as long as there is one that can.
pub(super) fn pool(app: &App) -> Check {
    let states = app.rooms.sandbox.supply().pool().states();
    judged(&states, app.started.elapsed())
}

fn judged(states: &BTreeMap<Language, ShelfState>, since_start: Duration) -> Check {
    let shelves = states
        .iter()
        .map(|(language, state)| shelf(*language, state));
    let shelves: Vec<String> = shelves.collect();
    let detail = shelves.join(", ");
    let none_works = || {
        states
            .values()
            .all(|state| state.is_failing && state.ready == 0)
    };
    if states.is_empty() {
        return Check::good("pool", "no pool is configured");
    }
    if none_works() {
        let fix = "see the service's log for the reason, and llm-firecracker doctor";
        return Check::bad("pool", format!("no VM can be made: {detail}"), fix);
    }
    if states.values().all(is_settled) {
        return Check::good("pool", detail);
    }
    if since_start > FILLING {
        let detail = format!("not filled after {} s: {detail}", since_start.as_secs());
        let fix = "see the service's log; a smaller pool ([pool.NAME] min) fills sooner";
        return Check::bad("pool", detail, fix);
    }
    Check::bad(
        "pool",
        format!("it fills: {detail}"),
        "wait until it is filled",
    )
}

fn is_settled(state: &ShelfState) -> bool {
    state.was_full || state.is_failing
}

fn shelf(language: Language, state: &ShelfState) -> String {
    let failing = match state.is_failing {
        true => " (none can be made; the log has the reason)",
        false => "",
    };
    format!("{language} {} of {}{failing}", state.ready, state.size.min)
}

pub(super) fn disk(app: &App) -> Check {
    let free = rustix::fs::statvfs(&app.rooms.state_dir)
        .map(|stat| stat.f_bavail * stat.f_frsize)
        .ok();
    let gauge = free.and_then(|bytes| i64::try_from(bytes).ok());
    app.http.state_free_bytes.set(gauge.unwrap_or(0));
    let wanted = app.config.min_free_disk_mib;
    let Some(bytes) = free else {
        let fix = "see whether the state folder is there and may be read";
        return Check::bad("disk", "the free space is not known", fix);
    };
    let detail = format!("{} MiB free, at least {wanted} wanted", bytes / MIB);
    match bytes / MIB >= wanted {
        true => Check::good("disk", detail),
        false => Check::bad(
            "disk",
            detail,
            "make room where the state folder is: llm-firecracker clean, images rm NAME, shorter [audit] retention",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::language::named;

    #[test]
    fn a_pool_is_waited_for_once_and_not_for_ever() {
        let state = |ready, was_full, is_failing| ShelfState {
            ready,
            size: sandbox::config::PoolSize {
                min: 2,
                max: 2,
                max_age_seconds: 60,
                warmed: false,
                ready_for: sandbox::config::ReadyFor::Jobs,
            },
            was_full,
            is_failing,
        };
        let (python, node) = (named("python"), named("node"));
        let soon = Duration::from_secs(1);
        for (shelves, ok) in [
            (vec![], true),
            (vec![state(1, false, false)], false),
            (vec![state(2, true, false)], true),
            // One was taken.
            (vec![state(0, true, false)], true),
            // It cannot be made, and nothing else is there.
            (vec![state(0, false, true)], false),
            (vec![state(0, false, true), state(2, true, false)], true),
        ] {
            let states = [python, node].into_iter().zip(shelves).collect();
            let check = judged(&states, soon);
            assert_eq!(check.ok, ok, "{check:?}");
            assert_eq!(check.fix.is_none(), ok);
        }
        let states = [(python, state(0, false, false))].into();
        let late = judged(&states, Duration::from_secs(900));
        assert!(late.detail.contains("after 900 s"), "{late:?}");
        assert!(shelf(python, &state(0, true, true)).contains("log"));
    }
}
