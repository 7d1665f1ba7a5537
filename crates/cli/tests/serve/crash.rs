//! kill -9 of the service under load: the next one cleans up before it listens.

use crate::lab;
use crate::leftovers::{NO_STANDBY, leftovers};
use crate::service::{Service, until};
use rustix::process::Signal;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn after_kill_9_the_next_service_cleans_up_before_it_listens() {
    let _alone = lab::alone().await;
    if !lab::can_run("bash") {
        return;
    }
    let service = Service::start("crash", NO_STANDBY);
    let body = json!({"lang": "bash", "code": "sleep 200", "timeout": 250});
    let jobs = [(); 2].map(|()| tokio::spawn(service.post("/api/v1/execute", &body).send()));
    until("both jobs have their VMs", async || {
        let of = |kind: &str| {
            leftovers()
                .iter()
                .filter(|own| own.starts_with(kind))
                .count()
        };
        of("process") >= 2 && of("run folder") >= 2
    })
    .await;
    service.signal(Signal::KILL);
    let (status, _) = service.wait();
    assert!(!status.success());
    for job in jobs {
        assert!(job.await.unwrap().is_err());
    }
    let left = leftovers();
    assert!(!left.is_empty(), "nothing to clean up");

    let service = Service::start("crash", NO_STANDBY);
    // The guest by which the new one looks at KVM may still be on its way out.
    let mut now = leftovers();
    now.retain(|trace| left.contains(trace));
    assert_eq!(now, Vec::<String>::new());
    let log = service.log.lock().unwrap().clone();
    let removed = log.find("left by an earlier crash; removed");
    let listening = log.find("listening on");
    assert!(removed.is_some() && removed < listening, "{log}");
    let body = json!({"lang": "bash", "code": "echo again"});
    let (status, result) = service.execute(&body).await;
    assert_eq!((status, &result["stdout"]), (200, &"again\n".into()));
    service.stop();
}
