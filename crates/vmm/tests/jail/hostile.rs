//! Each attack in a jail of its own, where it must fail; and, where that does no harm, without a
//! jail, where it must succeed: else it would prove nothing of the jail.

use crate::attacks::{ATTACKS, Attack, End, Targets};
use crate::host::{Host, host};
use std::io::Read;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::{Command, Stdio};

/// The name of the test below, for the stand-in to run it alone.
const INSIDE: &[&str] = &["--exact", "hostile::inside", "--ignored", "--nocapture"];

/// What the stand-in prints when the system said no, and when it did not.
const REFUSED: &str = "the system refused";
const GAVE_WAY: &str = "a wall gave way";

/// The stand-in's part: runs the one attack that its arguments name.
#[test]
#[ignore = "is run in a jail, by the tests below"]
fn inside() {
    let wanted: Vec<String> = std::env::args().collect();
    let targets = Targets::from_arguments();
    for attack in ATTACKS {
        if wanted.contains(&format!("attack={}", attack.name)) {
            match (attack.run)(&targets) {
                Ok(()) => println!("{GAVE_WAY}"),
                Err(e) => println!("{REFUSED}: {e}"),
            }
        }
    }
}

/// Things to attack, all of this test's own; whoever holds them is attacked in vain.
struct Bait {
    arguments: Vec<String>,
    _listeners: (UnixListener, UnixListener, TcpListener),
    victim: std::process::Child,
}

impl Bait {
    fn lay(host: &Host) -> Self {
        let folder = host.state.run().join("other-vm");
        std::fs::create_dir(&folder).unwrap();
        let (ram, socket) = (folder.join("ram"), folder.join("socket"));
        std::fs::write(&ram, "secret").unwrap();
        let by_path = UnixListener::bind(&socket).unwrap();
        let name = host.config.cgroup_parent.clone();
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let by_name = UnixListener::bind_addr(&address).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let victim = Command::new("sh")
            .args(["-c", "read -r line"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let arguments = vec![
            format!("ram={}", ram.display()),
            format!("socket={}", socket.display()),
            format!("abstract={name}"),
            format!("tcp={}", tcp.local_addr().unwrap()),
            format!("pid={}", victim.id()),
        ];
        Self {
            arguments,
            _listeners: (by_path, by_name, tcp),
            victim,
        }
    }

    fn arguments<'a>(&'a self, attack: &'a str) -> Vec<&'a str> {
        let own = self.arguments.iter().map(String::as_str);
        INSIDE.iter().copied().chain([attack]).chain(own).collect()
    }
}

impl Drop for Bait {
    fn drop(&mut self) {
        let _ = self.victim.kill();
        let _ = self.victim.wait();
    }
}

/// In a jail: how it ended, and what it printed.
async fn jailed(host: &Host, jail: &vmm::jail::Jail, bait: &Bait, attack: &Attack) -> String {
    let argument = format!("attack={}", attack.name);
    let arguments = bait.arguments(&argument);
    let (vm, mut output) = host.start(jail, attack.name, &arguments, Vec::new());
    let ended = vm.process.wait().await;
    let mut text = String::new();
    output.read_to_string(&mut text).unwrap();
    let said = text.lines().find(|line| line.starts_with(REFUSED));
    let contained = match attack.end {
        End::Refused => said.is_some(),
        // A kill is the memory limit's, and is told as such.
        End::Killed(signal) => {
            ended.signal == Some(signal) && ended.oom == (signal == libc::SIGKILL)
        }
    } && !text.contains(GAVE_WAY);
    println!(
        "{:24} {}",
        attack.name,
        said.map_or(format!("{ended:?}"), str::to_owned)
    );
    match contained {
        true => String::new(),
        false => format!("{}: {ended:?}\n{text}", attack.name),
    }
}

#[tokio::test]
async fn a_vmm_that_was_taken_over_gets_nowhere() {
    let Some(host) = host("hostile") else { return };
    let jail = host.jail(&std::env::current_exe().unwrap());
    let bait = Bait::lay(&host);
    // A library's careless descriptor: open to whatever is executed.
    let _careless = rustix::io::dup(std::fs::File::open("/etc/passwd").unwrap()).unwrap();
    let mut broken = String::new();
    for attack in ATTACKS {
        broken.push_str(&jailed(&host, &jail, &bait, attack).await);
    }
    assert!(broken.is_empty(), "{broken}");
}

#[test]
fn without_the_jail_the_attacks_succeed() {
    let Some(host) = host("control") else { return };
    let bait = Bait::lay(&host);
    let mut harmless = Vec::new();
    for attack in ATTACKS.iter().filter(|attack| attack.control) {
        let argument = format!("attack={}", attack.name);
        // The shell leaves a descriptor open that a careless tool might.
        let output = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 7</etc/passwd"])
            .arg(std::env::current_exe().unwrap())
            .args(bait.arguments(&argument))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        if !text.contains(GAVE_WAY) {
            harmless.push(format!("{}: {text}", attack.name));
        }
    }
    assert!(harmless.is_empty(), "{harmless:#?}");
}
