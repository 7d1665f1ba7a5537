//! Whose output it is.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn output_is_told_as_its_own_cells() {
    let Some(stay) = Stay::begin(named("python"), "contexts", 43600).await else {
        return;
    };
    let python = stay.context(named("python"));
    rows(
        &stay,
        python,
        &[
            ("1 + 1", "", "2", &[]),
            ("print('a'); display(1); x = 5", "a\n", "display 1", &[]),
            // A thread, cell 3.
            (
                "import threading, time\ndef late():\n    time.sleep(1.5)\n    print('thread')\n\
                 threading.Thread(target=late).start()",
                "",
                "",
                &[],
            ),
            ("time.sleep(1.2)\nprint('mine')\nx", "mine\n", "5", &["thread@3"]),
            // A task that nobody awaits, cell 5.
            (
                "import asyncio\nasync def late():\n    await asyncio.sleep(1.5)\n    print('task')\n\
                 kept = asyncio.create_task(late())\nawait asyncio.sleep(0)",
                "",
                "",
                &[],
            ),
            ("await asyncio.sleep(1.2)\nprint('mine')", "mine\n", "", &["task@5"]),
            // A child that is left behind, cell 7.
            (
                "import subprocess\np = subprocess.Popen('sleep 2; echo child', shell=True)",
                "",
                "",
                &[],
            ),
            ("!echo mine\nprint('me')", "mine\nme\n", "", &[]),
            ("p.wait()\nprint('still mine')", "still mine\n", "", &["child@7"]),
            // Of a pool that an earlier cell made.
            (
                "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)\n\
                 pool.submit(print, 'one').result()",
                "one\n",
                "",
                &[],
            ),
            ("pool.submit(print, 'two').result()", "two\n", "", &[]),
        ],
    )
    .await;
    let bash = stay.context(named("bash"));
    rows(
        &stay,
        bash,
        &[
            ("x=1; f() { echo f $x; }; cd /tmp", "", "", &[]),
            ("f; pwd", "f 1\n/tmp\n", "", &[]),
            ("(sleep 1; echo behind) & echo now", "now\n", "", &[]),
            ("sleep 1.5; echo mine", "mine\n", "", &["behind@3"]),
        ],
    )
    .await;
    stay.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn node_tells_timers_and_children_apart() {
    let Some(stay) = Stay::begin(named("node"), "contexts-node", 43620).await else {
        return;
    };
    let node = stay.context(named("node"));
    rows(
        &stay,
        node,
        &[
            ("const x = 1; x", "", "1", &[]),
            ("const x = 2; await x", "", "2", &[]),
            ("{ a: x }", "", "{ a: 2 }", &[]),
            ("import os from 'os'; typeof os.cpus", "", "'function'", &[]),
            ("setTimeout(() => console.log('timer'), 1600);0", "", "0", &[]),
            (
                "await new Promise((r) => setTimeout(r, 1200)); console.log('mine')",
                "mine\n",
                "",
                &["timer@5"],
            ),
            (
                "require('child_process').spawn('sh', ['-c', 'sleep 2; echo child'], { stdio: 'inherit' }); 0",
                "",
                "0",
                &[],
            ),
            (
                "require('child_process').execSync('echo run', { stdio: 'inherit' }); console.log('me')",
                "run\nme\n",
                "",
                &[],
            ),
            (
                "await new Promise((r) => setTimeout(r, 2500)); console.log('mine')",
                "mine\n",
                "",
                &["child@7"],
            ),
        ],
    )
    .await;
    stay.end().await;
}
