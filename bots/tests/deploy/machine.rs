//! One machine in the place of a network of containers: each has a loopback address of its own, so
//! that all listen on the ports that the shipped files name, and is a process.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tickwire_harness::redis::program;
use tickwire_harness::{File, PATIENCE, Process, server};

use crate::names::Names;
use crate::shipped::{Told, Variables, image, text};

/// Where containers find what all nodes have.
const KEYS: [&str; 2] = [
    "/run/secrets/cluster_key",
    "/run/secrets/tickwire/cluster.key",
];
/// Where players come in.
const PLAY: u16 = 8080;

pub(crate) struct Machine {
    net: [u8; 2],
    hosts: BTreeMap<String, Ipv4Addr>,
    key: File,
    folder: PathBuf,
}

/// A node's process.
pub(crate) struct Node {
    pub(crate) process: Process,
    pub(crate) ops: SocketAddr,
    pub(crate) log: File,
}

impl Machine {
    pub(crate) fn new(name: &str) -> Machine {
        let id = std::process::id();
        let folder = std::env::temp_dir().join(format!("tickwire-{id}-{name}"));
        fs::create_dir_all(&folder).expect("a folder of the test's own");
        let sum = name
            .bytes()
            .fold(id, |sum, byte| sum.wrapping_mul(31) + u32::from(byte));
        Machine {
            // Others on this machine have 127.0.0.1.
            net: [64 + (sum % 128) as u8, (sum / 128) as u8],
            hosts: BTreeMap::new(),
            key: File::new("cluster-key", "a secret that all of these nodes have"),
            folder,
        }
    }

    /// The address of a container, made for it when it is first named.
    pub(crate) fn host(&mut self, name: &str) -> Ipv4Addr {
        let (net, next) = (self.net, self.hosts.len() as u8 + 1);
        let host = self.hosts.entry(name.to_owned());
        *host.or_insert(Ipv4Addr::new(127, net[0], net[1], next))
    }

    /// Gives a container that has its address another name.
    pub(crate) fn call(&mut self, name: &str, at: Ipv4Addr) {
        self.hosts.retain(|_, of| *of != at);
        self.hosts.insert(name.to_owned(), at);
    }

    /// Where the proxy lets players in.
    pub(crate) fn door(&mut self) -> SocketAddr {
        (self.host("nginx"), PLAY).into()
    }

    /// A setting as it is here: with addresses in the place of names.
    fn here(&self, of: Ipv4Addr, value: &str) -> String {
        let named = self
            .hosts
            .iter()
            .fold(value.to_owned(), |value, (name, at)| {
                let value = value.replace(&format!("@{name}:"), &format!("@{at}:"));
                match value.strip_prefix(&format!("{name}:")) {
                    Some(rest) if !rest.starts_with('/') => format!("{at}:{rest}"),
                    _ => value,
                }
            });
        let named = named.replace("0.0.0.0", &of.to_string());
        KEYS.iter()
            .fold(named, |value, key| value.replace(key, self.key.path()))
    }

    pub(crate) fn redis(&mut self, name: &str, told: &Told) -> Process {
        let at = self.host(name).to_string();
        let (first, flags) = told.command.split_first().expect("it has a command");
        assert_eq!(first, "redis-server");
        let mut command = Command::new(program());
        command
            .args(flags)
            .args(["--bind", &at, "--dir"])
            .arg(&self.folder);
        let mut redis = Process::spawn(&mut command).expect("a redis-server");
        let ready = redis.wait_for_part("Ready to accept connections");
        ready.expect("it takes the flags");
        redis
    }

    /// A node that listens.
    pub(crate) fn node(&mut self, name: &str, told: &Told) -> Node {
        let at = self.host(name);
        let image = image();
        assert_eq!(
            (image.command.len(), told.command.len()),
            (1, 0),
            "the program alone"
        );
        let mut variables = image.variables;
        variables.extend(told.variables.clone());
        let log = File::new("log", "");
        let mut command = server(&[]);
        for (name, value) in &variables {
            let value = match name.as_str() {
                // The proxy is here.
                "TICKWIRE_TRUSTED_PROXY" => "127.0.0.0/8".to_owned(),
                _ => self.here(at, value),
            };
            command.env(name, value);
        }
        command.stderr(fs::File::create(log.path()).expect("a file for the log"));
        let mut process = Process::spawn(&mut command).expect("the server's program");
        let public = process.address();
        let public = public.unwrap_or_else(|error| panic!("{error}: {}", log.text()));
        assert_eq!(public, (at, 7777).into());
        let ops = (at, 7778).into();
        Node { process, ops, log }
    }

    /// nginx of the system, with a shipped file, which is listening.
    pub(crate) async fn nginx(
        &mut self,
        file: &str,
        names: BTreeMap<String, Vec<Ipv4Addr>>,
    ) -> Nginx {
        let names = Names::start(names).await;
        let text = text(file);
        let (before, after) = text.split_once("resolver ").expect("it asks for names");
        let (_, after) = after.split_once(' ').expect("it says for how long");
        let text = format!("{before}resolver {} {after}", names.address)
            .replace("/tmp/", &format!("{}/", self.folder.display()))
            .replace("listen 8080;", &format!("listen {};", self.door()));
        let config = self.folder.join("nginx.conf");
        fs::write(&config, text).expect("a file in it");
        let log = self.folder.join("nginx.log");
        let mut command = Command::new("nginx");
        command
            .args(["-g", "daemon off;", "-e"])
            .arg(&log)
            .arg("-c")
            .arg(&config);
        let process = command
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx of the system");
        let mut nginx = Nginx {
            process,
            _names: names,
        };
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(self.door()).is_err() {
            let ended = nginx.process.try_wait().expect("a child");
            let log = fs::read_to_string(&log);
            assert!(ended.is_none() && Instant::now() < end, "{log:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        nginx
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub(crate) struct Nginx {
    process: Child,
    _names: Names,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its workers end with it, of a signal that it catches.
        let quit = Command::new("kill")
            .arg(self.process.id().to_string())
            .status();
        if quit.is_err() {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

/// Variables of these names and values.
pub(crate) fn variables<const N: usize>(of: [(&str, String); N]) -> Variables {
    of.into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
