//! One cell after another.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn cells_wait_for_each_other_and_can_be_stopped() {
    let Some(stay) = Stay::begin(named("python"), "contexts-queue", 43660).await else {
        return;
    };
    let python = stay.context(named("python"));
    stay.run(python, "import time; kept = 1").await;
    let slow = stay
        .contexts
        .execute(python, cell("time.sleep(60)"))
        .unwrap();
    let dropped = stay.contexts.execute(python, cell("kept = 2")).unwrap();
    let third = stay.contexts.execute(python, cell("kept")).unwrap();
    stay.contexts
        .interrupt(python, Some(dropped.cell))
        .await
        .unwrap();
    sleep(Duration::from_millis(500)).await;
    let since = Instant::now();
    stay.contexts.interrupt(python, None).await.unwrap();
    for (mut accepted, stopped, results) in [
        (slow, Some(Stop::Interrupt), &[][..]),
        (dropped, Some(Stop::Interrupt), &[]),
        (third, None, &["1"]),
    ] {
        let mut told = Told::default();
        loop {
            let (_, event) = timeout(PATIENCE, accepted.events.next())
                .await
                .unwrap()
                .unwrap();
            if event.cell() == Some(accepted.cell) && told.take(accepted.cell, &event) {
                break;
            }
        }
        assert_eq!((told.end.stopped, told.end.lost), (stopped, None));
        assert_eq!(told.results, results);
    }
    assert!(since.elapsed() < Duration::from_secs(10));
    // As a pipe: nobody who reads late loses anything of what is kept.
    let mut again = stay
        .contexts
        .follow(python, sandbox::live::contexts::From::Number(0))
        .unwrap();
    let first = again.next().await.unwrap();
    assert_eq!((first.0, &*first.1), (0, &ContextEvent::Begun(1)));
    // Restarted while a cell runs, and deleted while one does.
    let mut running = stay
        .contexts
        .execute(python, cell("time.sleep(60)"))
        .unwrap();
    sleep(Duration::from_millis(300)).await;
    stay.contexts.restart(python).await.unwrap();
    let end = last(&mut running.events, running.cell).await;
    assert_eq!(
        (end.stopped, end.lost),
        (Some(Stop::Context), Some(Lost::Restarted))
    );
    assert!(stay.run(python, "kept").await.renewed);
    let mut running = stay
        .contexts
        .execute(python, cell("import time; time.sleep(60)"))
        .unwrap();
    let mut waiting = stay.contexts.execute(python, cell("1")).unwrap();
    stay.contexts.delete(python).await.unwrap();
    for (events, number) in [
        (&mut running.events, running.cell),
        (&mut waiting.events, waiting.cell),
    ] {
        assert_eq!(last(events, number).await.stopped, Some(Stop::Context));
    }
    assert!(stay.contexts.get(python).is_err());
    assert_eq!(stay.live.processes(), []);
    // The VM's end is each waiting cell's.
    let other = stay.context(named("python"));
    let mut running = stay
        .contexts
        .execute(other, cell("import time; time.sleep(60)"))
        .unwrap();
    sleep(Duration::from_millis(300)).await;
    stay.live.close().await;
    let end = last(&mut running.events, running.cell).await;
    assert!(matches!(end.lost, Some(Lost::Gone(_))), "{end:?}");
    stay.end().await;
}

async fn last(events: &mut sandbox::live::contexts::Events, cell: CellNumber) -> CellEnd {
    loop {
        let (_, event) = timeout(PATIENCE, events.next()).await.unwrap().unwrap();
        if let ContextEvent::Ended(own, end) = &*event
            && *own == cell
        {
            return end.clone();
        }
    }
}
