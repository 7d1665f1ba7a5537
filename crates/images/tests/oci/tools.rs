//! Programs of this host, and a registry of Debian's.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub const USER: &str = "job";
pub const PASSWORD: &str = "secret";
/// [`PASSWORD`] by bcrypt, the only form that the registry reads.
const PASSWORD_HASH: &str = "$2b$04$HaXuNo18BTOsJ6ChljLi8.8h4ZUfZeAQI0B2bRna5Ymmrs2..pmYW";
const START: Duration = Duration::from_secs(20);

/// Whether these programs are installed; says so when not, or fails where it must.
pub fn have(programs: &[&str]) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    let installed = |program: &&&str| {
        !path
            .split(':')
            .any(|folder| Path::new(folder).join(program).exists())
    };
    match programs.iter().find(installed) {
        None => true,
        Some(program) => not_run(&format!(
            "{program} is not installed: scripts/setup-debian.sh --tests"
        )),
    }
}

/// Says so, or fails where it must.
pub fn not_run(what: &str) -> bool {
    let required = std::env::var_os("LLM_FIRECRACKER_REQUIRE").is_some();
    assert!(!required, "not run: {what}");
    println!("not run: {what}");
    false
}

/// A folder that is gone with the test.
pub struct Lab(tempfile::TempDir);

impl Lab {
    pub fn new() -> Lab {
        Lab(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs a program to its good end; gives what it printed.
    pub fn run(&self, program: &str, args: &[&str]) -> String {
        self.try_run(program, args)
            .unwrap_or_else(|why| panic!("{program} {args:?}: {why}"))
    }

    pub fn try_run(&self, program: &str, args: &[&str]) -> Result<String, String> {
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(self.0.path())
            .env("HOME", self.0.path());
        let output = command.output().map_err(|error| error.to_string())?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    /// Puts an archive on top of an image.
    pub fn add_layer(&self, image: &str, archive: &Path) {
        let archive = archive.to_str().unwrap();
        self.run("umoci", &["raw", "add-layer", "--image", image, archive]);
    }

    /// Starts a registry on this very host.
    pub fn registry(&self, access: Access) -> Registry {
        let host = match access {
            Access::Tls => self
                .own_address()
                .unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            _ => IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        let listener = TcpListener::bind((host, 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let folder = self.path("registry");
        fs::create_dir(&folder).unwrap();
        let data = folder.join("data").display().to_string();
        let storage = format!("storage: {{filesystem: {{rootdirectory: {data}}}}}");
        let tls = match access {
            Access::Tls => self.certificate(host),
            _ => String::new(),
        };
        let mut config = format!(
            "version: 0.1\nlog: {{level: error}}\n{storage}\nhttp: {{addr: '{address}'{tls}}}\n"
        );
        if access == Access::Password {
            let file = folder.join("htpasswd");
            fs::write(&file, format!("{USER}:{PASSWORD_HASH}\n")).unwrap();
            let auth = format!(
                "auth: {{htpasswd: {{realm: own, path: {}}}}}\n",
                file.display()
            );
            config.push_str(&auth);
        }
        let file = folder.join("config.yml");
        fs::write(&file, config).unwrap();
        let mut command = Command::new("docker-registry");
        command
            .arg("serve")
            .arg(file)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let registry = Registry {
            process: command.spawn().unwrap(),
            address,
            access,
        };
        let start = Instant::now();
        while TcpStream::connect(&registry.address).is_err() {
            assert!(start.elapsed() < START, "the registry does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        registry
    }
}

impl Lab {
    /// An address of this host that is not its loopback; no packet is sent.
    pub fn own_address(&self) -> Option<IpAddr> {
        let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
        socket.connect("192.0.2.1:9").ok()?;
        let address = socket.local_addr().ok()?.ip();
        (!address.is_loopback()).then_some(address)
    }

    /// Makes `certificate.pem`, which trusts itself; gives the lines of a registry's configuration.
    fn certificate(&self, host: IpAddr) -> String {
        let name = format!("subjectAltName=IP:{host}");
        let args = [
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=own",
        ];
        let files = ["-keyout", "key.pem", "-out", "certificate.pem"];
        let extensions = [
            "-addext",
            &name,
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ];
        self.run("openssl", &[&args[..], &files, &extensions].concat());
        let (certificate, key) = (self.path("certificate.pem"), self.path("key.pem"));
        let (certificate, key) = (certificate.display(), key.display());
        format!(", tls: {{certificate: {certificate}, key: {key}}}")
    }
}

/// Who may ask a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Open,
    Password,
    /// Everybody, by TLS, on an address of this host's that is not its loopback.
    Tls,
}

/// A registry that ends with the test.
pub struct Registry {
    process: Child,
    pub address: String,
    access: Access,
}

impl Registry {
    /// Copies an image to `own/NAME:1`.
    pub fn push(&self, lab: &Lab, from: &str, name: &str) {
        let to = format!("docker://{}/own/{name}:1", self.address);
        let both = format!("{USER}:{PASSWORD}");
        let mut args = vec!["copy", "-q", "--dest-tls-verify=false"];
        if self.access == Access::Password {
            args.extend(["--dest-creds", &both]);
        }
        args.extend([from, &to]);
        lab.run("skopeo", &args);
    }

    /// The digest of `own/NAME:1`, as another program has it.
    pub fn digest(&self, lab: &Lab, name: &str) -> String {
        let image = format!("docker://{}/own/{name}:1", self.address);
        let args = [
            "inspect",
            "--tls-verify=false",
            "--format",
            "{{.Digest}}",
            &image,
        ];
        lab.run("skopeo", &args).trim().to_owned()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
