//! What each ending of a cell leaves.

use super::*;

/// A way for a cell to end, and what stays.
struct Ending {
    code: &'static str,
    status: &'static str,
    stopped: Option<&'static str>,
    /// Why variables are gone; `None`: they are there.
    lost: Option<&'static str>,
}

/// The table of `docs/sandboxes.md`, as far as a cell alone can bring it about.
const ENDINGS: &[Ending] = &[
    Ending {
        code: "raise ValueError",
        status: "error",
        stopped: None,
        lost: None,
    },
    Ending {
        code: "exit(3)",
        status: "error",
        stopped: None,
        lost: None,
    },
    Ending {
        code: "import os; os._exit(3)",
        status: "error",
        stopped: None,
        lost: Some("ended"),
    },
    Ending {
        code: "import os; os.kill(os.getpid(), 11)",
        status: "error",
        stopped: None,
        lost: Some("ended"),
    },
    Ending {
        code: "while True: pass",
        status: "timeout",
        stopped: Some("timeout"),
        lost: None,
    },
    Ending {
        code: "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        status: "timeout",
        stopped: Some("timeout"),
        lost: Some("not_interruptible"),
    },
    Ending {
        code: "while True: print('x' * 1000)",
        status: "killed",
        stopped: Some("output"),
        lost: None,
    },
    Ending {
        code: "kept = bytearray(2 << 30); kept[::4096] = kept[::4096]",
        status: "oom",
        stopped: None,
        lost: Some("ended"),
    },
    Ending {
        code: "import os; os.write(4, b'nonsense\\n')\nwhile True: pass",
        status: "killed",
        stopped: None,
        lost: Some("misbehaved"),
    },
];

#[tokio::test]
async fn each_ending_of_a_cell_leaves_what_the_page_says() {
    let Some(desk) = Desk::open("python").await else {
        return;
    };
    for row in ENDINGS {
        let before = desk
            .cell(json!({ "code": "kept = 41\nopen('kept', 'w').write('41');" }))
            .await;
        assert_eq!(before["status"], "ok", "{before}");
        let body = json!({ "code": row.code, "timeout": 4 });
        let seen = desk.cell(body).await;
        let memory = row.status == "oom" && seen["error"]["name"] == "MemoryError";
        if !memory {
            assert_eq!(seen["status"], row.status, "{}: {seen}", row.code);
            assert_eq!(
                seen["stopped"].as_str(),
                row.stopped,
                "{}: {seen}",
                row.code
            );
            assert_eq!(
                seen["lost"]["reason"].as_str(),
                row.lost,
                "{}: {seen}",
                row.code
            );
        }
        let lost = !seen["lost"].is_null();
        let after = desk
            .cell(json!({ "code": "print(open('kept').read()); kept" }))
            .await;
        assert_eq!(after["renewed"], lost, "{}: {after}", row.code);
        assert_eq!(after["logs"]["stdout"], "41\n", "{}: {after}", row.code);
        let kept = after["results"][0]["data"]["text/plain"].as_str();
        assert_eq!(kept, (!lost).then_some("41"), "{}: {after}", row.code);
    }
    desk.end().await;
}
