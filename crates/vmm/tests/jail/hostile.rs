//! Each attack in a jail of its own, where it must fail; and, where that does no harm, without a
//! jail, where it must succeed: else it would prove nothing of the jail.

use crate::attacks::{self, Attack, End, Targets, Walls};
use crate::host::{Given, Host, copy, host};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use vmm::jail::Jail;
use vmm::jail::files::JailFile;
use vmm::jail::root::RootSpec;
use vmm::uml::args::at;

/// The name of the test below, for the stand-in to run it alone.
const INSIDE: &[&str] = &["--exact", "hostile::inside", "--ignored", "--nocapture"];

/// What the stand-in prints when the system said no, and when it did not.
const REFUSED: &str = "the system refused";
const GAVE_WAY: &str = "a wall gave way";

/// What it prints before, so that no other end is taken for the attack's.
const TRYING: &str = "trying";

/// The word that has it seal itself before, as a kernel does.
const SEALED: &str = "sealed";

/// The stand-in's part: runs the one attack that its arguments name.
#[test]
#[ignore = "is run in a jail, by the tests below"]
fn inside() {
    let words: Vec<String> = std::env::args().collect();
    let named = |attack: &&Attack| words.contains(&format!("attack={}", attack.name));
    let Some(attack) = attacks::all().find(named) else {
        return;
    };
    let targets = Targets::from_arguments();
    if words.iter().any(|word| word == SEALED) {
        crate::seal::take(vmm::uml::args::fd::SEAL).unwrap();
    }
    println!("{TRYING}");
    match (attack.run)(&targets) {
        Ok(()) => println!("{GAVE_WAY}"),
        Err(e) => println!("{REFUSED}: {e}"),
    }
    // Not back to the tests' own harness, whose calls a filter needs to know nothing of.
    // SAFETY: takes any number and does not return.
    unsafe { libc::_exit(0) }
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

/// A jail for stand-ins, and what each is given.
struct StandIn {
    walls: Walls,
    jail: Jail,
    own_files: Vec<PathBuf>,
    /// Where its program is, if not where it was built.
    _folder: Option<tempfile::TempDir>,
}

/// Where a kernel finds its own files; the root of its jail has a place for each.
const OWN_FILES: [&str; 4] = [at::KERNEL, at::INITRAMFS, at::ROOTFS, at::CPUINFO];

/// RAM of the guest that a stand-in would have, MiB.
const MEMORY_MIB: u32 = 32;

impl StandIn {
    fn for_qemu(host: &Host) -> Self {
        Self {
            walls: Walls::Qemu,
            jail: host.jail(&std::env::current_exe().unwrap()),
            own_files: Vec::new(),
            _folder: None,
        }
    }

    /// A jail as the engine makes it. The stand-in alone differs: it is linked to libraries, which are
    /// in the root besides.
    fn for_uml(host: &Host, walls: Walls) -> Self {
        // Built below /tmp, it would be covered by the jail's own.
        let folder = tempfile::tempdir_in("/var/tmp").unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let program = folder.path().join("stand-in");
        copy(&std::env::current_exe().unwrap(), &program);
        let root = RootSpec {
            files: RootSpec::of_program(&program).unwrap().files,
            ..vmm::uml::root()
        };
        let spec = vmm::uml::jail(&program, &root);
        let own_files = OWN_FILES.map(|at| {
            let file = host.folder().join(at.replace('/', "-"));
            std::fs::write(&file, at).unwrap();
            file
        });
        Self {
            walls,
            jail: Jail::new(&host.config, &host.state, &spec).unwrap(),
            own_files: own_files.into(),
            _folder: Some(folder),
        }
    }

    /// What an engine hands over besides arguments, and the host's ends of it.
    fn given(&self) -> (Given, Vec<UnixStream>) {
        if self.walls == Walls::Qemu {
            return (Given::default(), Vec::new());
        }
        let (channel, channel_inside) = UnixStream::pair().unwrap();
        let (mut seal, seal_inside) = UnixStream::pair().unwrap();
        let profile = seccomp::Profile::builtin(seccomp::builtin::UML).unwrap();
        seal.write_all(&profile.compile().unwrap().to_bytes())
            .unwrap();
        seal.shutdown(std::net::Shutdown::Write).unwrap();
        let own_files = self.own_files.iter().zip(OWN_FILES);
        let given = Given {
            args: Vec::new(),
            files: own_files
                .map(|(file, at)| JailFile::read_only(file, at))
                .collect(),
            fds: vec![channel_inside.into(), seal_inside.into()],
            scratch: Some(vmm::uml::scratch(MEMORY_MIB)),
        };
        (given, vec![channel, seal])
    }

    fn words(&self) -> Vec<String> {
        let scratch = vmm::uml::scratch(MEMORY_MIB).bytes;
        match self.walls {
            Walls::Qemu => Vec::new(),
            Walls::UmlStarting => vec![format!("scratch={scratch}")],
            Walls::UmlSealed => vec![format!("scratch={scratch}"), SEALED.into()],
        }
    }

    /// What was not as the table says: how it ended, and what it printed. Nothing of an attack that is for other walls.
    async fn attack(&self, host: &Host, bait: &Bait, attack: &Attack) -> Option<String> {
        let end = attack.ends.behind(self.walls)?;
        let (name, words) = (format!("attack={}", attack.name), self.words());
        let mut arguments = bait.arguments(&name);
        arguments.extend(words.iter().map(String::as_str));
        let (given, _held) = self.given();
        let given = given.with_args(&arguments);
        let (vm, mut output) = host.start_with(&self.jail, attack.name, given);
        let ended = vm.process.wait().await;
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        let refused = text.lines().find(|line| line.starts_with(REFUSED));
        let gave_way = text.lines().any(|line| line == GAVE_WAY);
        let contained = match end {
            End::Refused => refused.is_some() && !gave_way,
            // A kill is the memory limit's, and is told as such.
            End::Killed(signal) => {
                let by_memory = signal == libc::SIGKILL;
                ended.signal == Some(signal) && ended.oom == by_memory && !gave_way
            }
            End::Succeeds => gave_way,
        } && text.contains(TRYING);
        let seen = match (gave_way, refused) {
            (true, _) => "succeeded, as it may".to_owned(),
            (_, Some(line)) => line.to_owned(),
            _ => format!("{ended:?}"),
        };
        println!("{:?} {:24} {seen}", self.walls, attack.name);
        (!contained).then(|| format!("{}, not {end:?}: {ended:?}\n{text}", attack.name))
    }

    /// Each attack of the table that is tried behind these walls.
    async fn try_all(&self, host: &Host) {
        let mut bait = Bait::lay(host);
        // A library's careless descriptor: open to whatever is executed.
        let _careless = rustix::io::dup(std::fs::File::open("/etc/passwd").unwrap()).unwrap();
        let mut broken = Vec::new();
        for attack in attacks::all() {
            broken.extend(self.attack(host, &bait, attack).await);
        }
        assert!(broken.is_empty(), "{}", broken.join("\n"));
        assert!(bait.victim.try_wait().unwrap().is_none(), "one was hit");
    }
}

#[tokio::test]
async fn a_vmm_that_was_taken_over_gets_nowhere() {
    let Some(host) = host("hostile") else { return };
    StandIn::for_qemu(&host).try_all(&host).await;
}

#[tokio::test]
async fn a_uml_kernel_that_was_taken_over_gets_nowhere() {
    let Some(host) = host("hostile-uml") else {
        return;
    };
    let kernel = StandIn::for_uml(&host, Walls::UmlSealed);
    kernel.try_all(&host).await;
}

/// What the walls are without the seal; it also shows what the seal alone takes away.
#[tokio::test]
async fn a_uml_kernel_that_boots_is_held_too() {
    let Some(host) = host("hostile-boot") else {
        return;
    };
    let kernel = StandIn::for_uml(&host, Walls::UmlStarting);
    kernel.try_all(&host).await;
}

#[test]
fn without_the_jail_the_attacks_succeed() {
    let Some(host) = host("control") else { return };
    let bait = Bait::lay(&host);
    let mut harmless = Vec::new();
    for attack in attacks::all().filter(|attack| attack.control) {
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
