//! What stays of a context when a cell ends.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_end_says_what_stays() {
    let Some(stay) = Stay::begin(named("python"), "contexts-ends", 43640).await else {
        return;
    };
    let short = |code: &str| Cell {
        timeout: Duration::from_secs(1),
        output_bytes: 64 * 1024,
        ..cell(code)
    };
    let keep = |lost: &Lost| panic!("{lost:?}");
    let misbehaved = |lost: &Lost| assert!(matches!(lost, Lost::Nonsense(_)), "{lost:?}");
    let ended = |lost: &Lost| assert!(matches!(lost, Lost::Ended(_)), "{lost:?}");
    let stubborn = |lost: &Lost| assert_eq!(*lost, Lost::Stubborn);
    type Check = fn(&Lost);
    let python = stay.context(named("python"));
    let other = stay.context(named("python"));
    stay.run(other, "kept = 'other'").await;
    let deaf = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass";
    let flood = "import os\nwhile True: os.write(4, b'x' * 65536)";
    let forged = "import os\nos.write(4, b'{\"type\":\"end\",\"cell\":\"1\",\"exit_code\":0}\\n')\nimport time; time.sleep(9)";
    for (code, stopped, survives, check) in [
        ("1 / 0", None, true, keep as Check),
        ("exit(3)", None, true, keep),
        ("while True: pass", Some(Stop::Timeout), true, keep),
        (
            "import time; time.sleep(60)",
            Some(Stop::Timeout),
            true,
            keep,
        ),
        (
            "while True: print('x' * 100)",
            Some(Stop::Output),
            true,
            keep,
        ),
        (
            "while True: display('x' * 100)",
            Some(Stop::Output),
            true,
            keep,
        ),
        (deaf, Some(Stop::Timeout), false, stubborn),
        ("import os; os._exit(4)", None, false, ended),
        ("import os; os.kill(os.getpid(), 9)", None, false, ended),
        ("kept = bytearray(400 << 20)", None, false, ended),
        (flood, None, false, misbehaved),
        (forged, None, false, misbehaved),
        (
            "import os; os.write(4, b'boo\\n'); import time; time.sleep(9)",
            None,
            false,
            misbehaved,
        ),
        ("import os; os.close(3); os.close(4)", None, false, ended),
    ] {
        let before = stay.run(python, "kept = 41").await;
        assert_eq!(before.end.lost, None, "{before:?}");
        let told = stay.run_cell(python, short(code)).await;
        assert_eq!(told.end.lost.is_none(), survives, "{code}: {told:?}");
        told.end.lost.iter().for_each(check);
        if stopped.is_some() || survives {
            assert_eq!(told.end.stopped, stopped, "{code}: {told:?}");
        }
        let after = stay.run(python, "kept + 1").await;
        assert_eq!(after.renewed, !survives, "{code}: {after:?}");
        match survives {
            true => assert_eq!(after.results, ["42"], "{code}"),
            false => assert_eq!(after.error.as_deref(), Some("NameError"), "{code}"),
        }
    }
    let kept = stay.run(other, "kept").await;
    assert_eq!(
        (kept.results, kept.renewed),
        (vec!["'other'".to_owned()], false)
    );
    stay.end().await;
}
