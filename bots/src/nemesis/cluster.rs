//! The cluster of a run: engine, nodes, and the ways from each node to the engine and to it from the
//! others. Carries steps
//! out, writes down when, and reads the nodes' play logs. Driven by `course`.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use rand::RngExt;

use super::clock::Clock;
use super::engine::{self, Engine};
use super::faults::{Kind, Link, NodeNumber, Step};
use super::flags::NemesisFlags;
use super::history::{Deed, History};
use super::play_log::{self, RoomTick};
use super::process::Process;
use super::valve::Valve;

/// For a node to end behind SIGTERM. Its own limits are shorter.
const ENDS_WITHIN: Duration = Duration::from_secs(60);
/// Status of a server that can't start as it was told to, by `docs/operate.md`.
const BAD_SETTINGS: i32 = 2;
/// A run's seats outlive all that its faults can take: nobody loses one by being slow to return.
const SEATS_HELD: &str = "10m";

/// Public, the operator's, the other nodes', and those of the two ways.
const PORTS_OF_A_NODE: usize = 5;
/// Ports below those that systems give to who asks for none: a port of a node that is down must not
/// become the near end of somebody's connection.
const PORTS: std::ops::Range<u16> = 15_000..32_000;

/// See the module's description. Its processes end with it.
pub(super) struct Cluster {
    clock: Clock,
    engine: Engine,
    nodes: Vec<Node>,
    program: PathBuf,
    folder: PathBuf,
    detached_play: Duration,
    logs: Vec<Log>,
    /// What a node did by itself that it should not, in words.
    pub(super) faults: Vec<String>,
}

struct Node {
    number: NodeNumber,
    /// To the engine.
    way: Valve,
    /// From the other nodes to it.
    peers: Valve,
    public: SocketAddr,
    ops: SocketAddr,
    peer: SocketAddr,
    process: Option<Life>,
    /// It is to be started once it has ended.
    starts: bool,
}

/// A node's process.
struct Life {
    number: usize,
    began_ns: u64,
    process: Process,
    output: PathBuf,
    /// It was told to end, and has so long for it.
    ends_until: Option<Instant>,
}

/// A process's play log, and how much of it was read.
struct Log {
    path: PathBuf,
    read: u64,
}

impl Life {
    /// Whether it came so far as to serve.
    fn listened(&self) -> bool {
        let output = std::fs::read_to_string(&self.output);
        output.is_ok_and(|text| text.contains("LISTENING "))
    }
}

impl Node {
    /// Its process has ended, or does now. The others find nobody at its port then.
    fn gone(&mut self) {
        self.process = None;
        self.peers.shut(true);
    }
}

impl Cluster {
    /// Starts all of it; the nodes listen some time later.
    ///
    /// # Errors
    /// A program is missing or does not start; one line.
    pub(super) async fn start(
        flags: &NemesisFlags,
        folder: &Path,
        clock: Clock,
        history: &mut History,
    ) -> Result<Cluster, String> {
        let redis = engine::program(flags.redis.as_deref())?;
        let program = server(flags.server.as_deref())?;
        let has_replica = flags.kinds().contains(&Kind::EngineFailover);
        let count = flags.nodes as usize;
        let ports = free_ports(2 + PORTS_OF_A_NODE * count)?;
        let engine = Engine::start(&redis, folder, [ports[0], ports[1]], has_replica).await?;
        let key = folder.join("cluster.key");
        std::fs::write(
            &key,
            "a key that the nodes of this run have, and nobody else\n",
        )
        .map_err(|error| format!("{}: {error}", key.display()))?;
        let mut nodes = Vec::new();
        for (number, ports) in ports[2..].chunks_exact(PORTS_OF_A_NODE).enumerate() {
            let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let no_port = |error| format!("no port: {error}");
            let way = Valve::open(ports[3], engine.port()).await;
            let peers = Valve::open(ports[4], ports[2]).await;
            nodes.push(Node {
                number: NodeNumber(number),
                way: way.map_err(no_port)?,
                peers: peers.map_err(no_port)?,
                public: at(ports[0]),
                ops: at(ports[1]),
                peer: at(ports[2]),
                process: None,
                starts: true,
            });
        }
        let mut cluster = Cluster {
            clock,
            engine,
            nodes,
            program,
            folder: folder.to_owned(),
            detached_play: flags.detached_play,
            logs: Vec::new(),
            faults: Vec::new(),
        };
        cluster.watch(history)?;
        Ok(cluster)
    }

    /// Where bots come to, one a node.
    pub(super) fn doors(&self) -> Vec<String> {
        let url = |node: &Node| format!("ws://{}/ws", node.public);
        self.nodes.iter().map(url).collect()
    }

    /// Where each node says whether it is ready.
    pub(super) fn ops(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.ops).collect()
    }

    /// Carries a step out.
    ///
    /// # Errors
    /// The engine, or a node's program, does not start.
    pub(super) async fn carry_out(
        &mut self,
        step: Step,
        history: &mut History,
    ) -> Result<(), String> {
        let harms = self.clock.now_ns();
        let mut process = None;
        let mut mends = false;
        match step {
            Step::Kill(n) => {
                process = self.life(n);
                self.nodes[n.0].gone();
            }
            Step::Start(n) => {
                // Noted when it comes to it.
                self.nodes[n.0].starts = true;
                return self.watch(history);
            }
            Step::Pause(n) => process = self.signal(n, Signal::SIGSTOP),
            Step::GoOn(n) => {
                process = self.signal(n, Signal::SIGCONT);
                mends = true;
            }
            Step::Drain(n) => {
                process = self.signal(n, Signal::SIGTERM);
                if let Some(life) = &mut self.nodes[n.0].process {
                    life.ends_until = Some(Instant::now() + ENDS_WITHIN);
                }
            }
            Step::Link(n, link) => {
                self.nodes[n.0].way.set(link);
                mends = link == Link::Open;
            }
            Step::Peers(n, link) => {
                self.nodes[n.0].peers.set(link);
                mends = link == Link::Open;
            }
            Step::PauseEngine => self.engine.signal(Signal::SIGSTOP),
            Step::EngineGoesOn => {
                self.engine.signal(Signal::SIGCONT);
                mends = true;
            }
            Step::KillEngine => self.engine.kill(),
            Step::StartEngine => {
                self.engine.fill().await?;
                mends = true;
            }
            Step::HoldReplica => self.engine.signal_replica(Signal::SIGSTOP),
            Step::FailOver => {
                self.engine.fail_over().await?;
                let port = self.engine.port();
                self.nodes.iter().for_each(|node| node.way.turn(port));
                mends = true;
            }
            Step::Look => {}
        }
        let at_ns = if mends { self.clock.now_ns() } else { harms };
        history.deeds.push(Deed {
            at_ns,
            step,
            process,
        });
        Ok(())
    }

    /// Looks which nodes have ended, and starts those that are to be.
    ///
    /// # Errors
    /// A node's program does not start.
    pub(super) fn watch(&mut self, history: &mut History) -> Result<(), String> {
        for at in 0..self.nodes.len() {
            let node = &mut self.nodes[at];
            let number = node.number;
            if let Some(life) = &mut node.process {
                let ended = life.process.ended();
                let output = life.output.display();
                let is_late = life.ends_until.is_some_and(|until| Instant::now() > until);
                match (ended, life.ends_until) {
                    (None, _) if is_late => {
                        let what = format!("{number} does not end by SIGTERM: {output}");
                        self.faults.push(what);
                        node.gone();
                    }
                    (None, _) => {}
                    (Some(status), Some(_)) if status.success() => node.gone(),
                    // A start waits ten seconds for the engine, and is then for a supervisor.
                    (Some(status), None)
                        if status.code() == Some(BAD_SETTINGS)
                            && !life.listened()
                            && history.was_out_of_reach(number, life.began_ns) =>
                    {
                        node.gone();
                        node.starts = true;
                    }
                    (Some(status), _) => {
                        let what = format!("{number} ended, {status}: {output}");
                        self.faults.push(what);
                        node.gone();
                        node.starts = true;
                    }
                }
            }
            if self.nodes[at].process.is_none() && self.nodes[at].starts {
                self.launch(at, history)?;
            }
        }
        Ok(())
    }

    fn launch(&mut self, at: usize, history: &mut History) -> Result<(), String> {
        let number = history.processes.len();
        let node = &mut self.nodes[at];
        let name = format!("node-{}.{number}", at + 1);
        let play_log = self.folder.join(format!("{name}.play"));
        let output = self.folder.join(format!("{name}.log"));
        let key = self.folder.join("cluster.key");
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let flags = [
            ("--listen", node.public.to_string()),
            ("--ops-listen", node.ops.to_string()),
            ("--peer-listen", node.peer.to_string()),
            (
                "--peer-advertise",
                format!("127.0.0.1:{}", node.peers.port()),
            ),
            ("--node-url", format!("ws://{}/ws", node.public)),
            (
                "--cluster-url",
                format!("redis://127.0.0.1:{}/", node.way.port()),
            ),
            ("--cluster-key-file", text(&key)),
            (
                "--detached-play",
                format!("{}ms", self.detached_play.as_millis()),
            ),
            ("--play-log", text(&play_log)),
            ("--resume-grace", SEATS_HELD.to_owned()),
            ("--workers", "2".to_owned()),
        ];
        let args: Vec<String> = flags
            .into_iter()
            .flat_map(|(name, value)| [name.to_owned(), value])
            .collect();
        let at_ns = self.clock.now_ns();
        let process = Process::start(&self.program, &args, &output)
            .map_err(|error| format!("{}: {error}", self.program.display()))?;
        node.process = Some(Life {
            number,
            began_ns: at_ns,
            process,
            output,
            ends_until: None,
        });
        node.starts = false;
        node.peers.shut(false);
        history.processes.push(node.number);
        history.deeds.push(Deed {
            at_ns,
            step: Step::Start(node.number),
            process: Some(number),
        });
        let path = play_log;
        self.logs.push(Log { path, read: 0 });
        Ok(())
    }

    fn life(&self, node: NodeNumber) -> Option<usize> {
        let life = self.nodes[node.0].process.as_ref();
        life.map(|life| life.number)
    }

    fn signal(&mut self, node: NodeNumber, signal: Signal) -> Option<usize> {
        let life = self.nodes[node.0].process.as_mut()?;
        life.process.signal(signal);
        Some(life.number)
    }

    /// What the nodes' play logs have that was not read yet.
    pub(super) fn read_logs(&mut self, ticks: &mut Vec<RoomTick>) {
        for (process, log) in self.logs.iter_mut().enumerate() {
            // It is not there before the node has a room.
            if let Ok(bytes) = rest_of(&log.path, log.read) {
                let (more, taken) = play_log::decode(&bytes, process);
                ticks.extend(more);
                log.read += taken as u64;
            }
        }
    }

    /// Ends all of it.
    pub(super) fn end(&mut self) {
        for node in &mut self.nodes {
            node.gone();
        }
        self.engine.kill();
    }
}

fn rest_of(path: &Path, from: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The server's program: by the flag, or beside this one.
fn server(given: Option<&Path>) -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| format!("this program: {error}"))?;
    let beside = own.with_file_name("tickwire-server");
    let path = given.map_or(beside, Path::to_owned);
    match path.is_file() {
        true => Ok(path),
        false => Err(format!(
            "there is no {}: build it by `cargo build --bins`, or name another by --server",
            path.display()
        )),
    }
}

/// So many ports that nobody had a moment ago, all different.
fn free_ports(count: usize) -> Result<Vec<u16>, String> {
    let mut rng = rand::rng();
    let mut ports: Vec<u16> = Vec::new();
    for _ in 0..100 * count {
        let port = rng.random_range(PORTS);
        let is_free = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        if is_free && !ports.contains(&port) {
            ports.push(port);
        }
        if ports.len() == count {
            return Ok(ports);
        }
    }
    Err(format!("of the ports {PORTS:?} too few are free"))
}
