//! Bots against several real servers that are nodes of one another: they come to each of them, and
//! are in one world of rooms.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use indicatif::ProgressBar;
use tickwire::protocol::SUBPROTOCOL;
use tickwire::protocol::client_message::NewRoom;
use tickwire::session::{Event, Session};
use tickwire_arena::Arena;
use tickwire_bots::flags::Flags;
use tickwire_bots::report::Report;
use tickwire_bots::swarm;
use tickwire_harness::{File, Server};
use tickwire_server::Site;
use tickwire_server::config::Config;
use tickwire_server::lobby::Neighbours;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;

/// Longest that a run of this file may take.
const BOUND: Duration = Duration::from_secs(60);

/// Servers that know one another.
struct Nodes {
    servers: Vec<Server>,
    neighbours: Neighbours,
    exchange: Option<tokio::task::JoinHandle<()>>,
    _key: File,
}

impl Nodes {
    /// So many, which clients reach where they listen.
    fn start(count: usize) -> Nodes {
        Nodes::start_at(count, |_| None)
    }

    /// The same, but clients reach each at a URL, by its number from 1.
    fn start_at(count: usize, url: impl Fn(usize) -> Option<String>) -> Nodes {
        let mut nodes = Nodes::apart(count, url);
        nodes.exchange = Some(tokio::spawn(nodes.neighbours.clone().run()));
        nodes
    }

    /// The same, but they tell one another what the test has them tell.
    fn apart(count: usize, url: impl Fn(usize) -> Option<String>) -> Nodes {
        let key = File::new("guest-key", "a key that all of these nodes have");
        let config = Config {
            seed: Some(11),
            max_players: 16,
            guest_key_file: Some(key.path().into()),
            ..Config::default()
        };
        let neighbours = Neighbours::default();
        let server = |node| {
            let config = config.clone();
            Server::start_among::<Arena>(config, Site::new(), &neighbours, url(node))
        };
        let servers = (1..=count).map(server).collect();
        Nodes {
            servers,
            neighbours,
            exchange: None,
            _key: key,
        }
    }

    async fn close(self) {
        if let Some(exchange) = self.exchange {
            exchange.abort();
        }
        for server in self.servers {
            server.close().await;
        }
    }
}

/// A client that does what the test says, and follows nothing.
struct Client {
    socket: WebSocketStream<TcpStream>,
    session: Session,
}

impl Client {
    /// One in the lobby.
    async fn at(server: &Server) -> Client {
        let stream = TcpStream::connect(server.public).await.expect("a server");
        let request = format!("ws://{}/ws", server.public).into_client_request();
        let mut request = request.expect("a good URL");
        let protocol = HeaderValue::from_static(SUBPROTOCOL);
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", protocol);
        let opened = tokio_tungstenite::client_async(request, stream).await;
        let (socket, _) = opened.expect("a WebSocket");
        let session = Session::new("host", "");
        let mut client = Client { socket, session };
        while !matches!(client.next().await, Event::Welcome) {}
        client
    }

    /// Says what it has to say.
    async fn say(&mut self) {
        while let Some(bytes) = self.session.poll_transmit() {
            let sent = self.socket.send(Message::binary(bytes)).await;
            sent.expect("it is open");
        }
    }

    /// What it hears next.
    async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.session.poll_event() {
                return event;
            }
            self.say().await;
            match self.socket.next().await {
                Some(Ok(Message::Binary(bytes))) => {
                    let session = &mut self.session;
                    session.handle_message(&bytes, 0).expect("a good message");
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// Makes a room, and stays there: its code.
    async fn make_room(&mut self) -> String {
        self.session
            .create(&NewRoom::default())
            .expect("in the lobby");
        loop {
            if let Some(room) = self.session.room() {
                return room.code.clone();
            }
            self.next().await;
        }
    }
}

/// Who has made a room, and stays there.
struct Host {
    code: String,
    _client: Client,
}

impl Host {
    async fn at(server: &Server) -> Host {
        let mut client = Client::at(server).await;
        let code = client.make_room().await;
        Host {
            code,
            _client: client,
        }
    }
}

/// A swarm of these flags that comes to one of them, or to whoever stands in front of them.
async fn swarm_at(address: SocketAddr, rest: &str) -> Report {
    swarm_among(&[address], rest).await
}

/// The same that comes to all of these.
async fn swarm_among(doors: &[SocketAddr], rest: &str) -> Report {
    let urls: Vec<String> = doors.iter().map(|door| format!("ws://{door}/ws")).collect();
    let line = format!(
        "bots --url {} --ramp 200ms --duration 3s --max-gap-p99-ms 60000 {rest}",
        urls.join(",")
    );
    let flags = Flags::try_parse_from(line.split_whitespace()).expect("good flags");
    let bar = ProgressBar::hidden();
    let report = tokio::time::timeout(BOUND, swarm::run(flags, &bar)).await;
    report
        .expect("a run is bounded")
        .expect("the node is there")
}

/// Bots that come to three nodes, by the code of a room at the first one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bots_join_by_code_whichever_node_they_come_to() {
    let nodes = Nodes::start(3);
    let host = Host::at(&nodes.servers[0]).await;
    let rest = format!("--bots 4 --code {}", host.code);
    let swarms = nodes
        .servers
        .iter()
        .map(|server| swarm_at(server.public, &rest));
    let mut runs: Vec<_> = swarms.map(Box::pin).collect();
    let (first, second, third) = (runs.remove(0), runs.remove(0), runs.remove(0));
    let reports = tokio::join!(first, second, third);
    for report in [reports.0, reports.1, reports.2] {
        assert!(report.passed(), "{report}");
        assert_eq!((report.bots_connected, report.desyncs), (4, 0), "{report}");
    }
    for (server, rooms) in nodes.servers.iter().zip([1.0, 0.0, 0.0]) {
        assert_eq!(server.figure("tickwire_rooms").await, rooms);
    }
    nodes.close().await;
}

/// A room is made, and its code and number are brought to another node before the first has told of
/// it: who brings them waits, and is led there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_joined_through_another_node_as_soon_as_it_is_made() {
    let nodes = Nodes::apart(2, |_| None);
    let [first, second] = &nodes.servers[..] else {
        panic!("two");
    };
    let mut host = Client::at(first).await;
    let mut guests = [Client::at(second).await, Client::at(second).await];
    nodes.neighbours.meet(Instant::now());
    nodes.neighbours.tell(Instant::now());
    let code = host.make_room().await;
    let room = host.session.room().expect("its own").info.id;
    guests[0].session.join_code(&code).expect("in the lobby");
    guests[1].session.join(room).expect("in the lobby");
    for guest in &mut guests {
        guest.say().await;
    }
    let end = Instant::now() + BOUND;
    while second.figure("tickwire_messages_received_total").await < 4.0 {
        assert!(Instant::now() < end, "both hellos and both joins");
    }
    nodes.neighbours.tell(Instant::now());
    for guest in &mut guests {
        match guest.next().await {
            Event::Redirect(there) => {
                let url = format!("ws://{}/ws", first.public);
                assert_eq!((there.room, there.url), (room, url));
            }
            other => panic!("{other:?}"),
        }
    }
    nodes.close().await;
}

/// They lose all their connections at once, and come back to the node that they first came to: each
/// to its seat and figure, at the node where its room is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bots_that_come_back_to_the_wrong_node_find_their_seats() {
    let nodes = Nodes::start(2);
    let host = Host::at(&nodes.servers[0]).await;
    let rest = format!(
        "--bots 8 --code {} --storm 500ms --return-within 20s",
        host.code
    );
    let report = swarm_at(nodes.servers[1].public, &rest).await;
    assert!(report.passed(), "{report}");
    assert_eq!((report.bots_connected, report.desyncs), (8, 0), "{report}");
    assert_eq!(nodes.servers[1].figure("tickwire_rooms").await, 0.0);
    nodes.close().await;
}

/// At one of the doors nobody is: its bots pass on to the next one. Rooms are made at one node and
/// joined through another; all lose their connections at once and come back by whichever door.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bots_spread_over_doors_and_pass_by_one_where_nobody_is() {
    let nodes = Nodes::start(2);
    let dead = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let mut doors = vec![dead.local_addr().expect("a bound port")];
    drop(dead);
    doors.extend(nodes.servers.iter().map(|server| server.public));
    let rest = "--bots 9 --rooms 3 --storm 500ms --return-within 20s";
    let report = swarm_among(&doors, rest).await;
    assert!(report.passed(), "{report}");
    assert_eq!((report.bots_connected, report.desyncs), (9, 0), "{report}");
    assert_eq!((report.drops, report.returns), (9, 9), "{report}");
    assert_eq!((report.seats_lost, report.strayed), (0, 0), "{report}");
    assert!(report.return_gap_ms.max.is_some() && report.lost_play_ms.max == Some(0.0));
    for server in &nodes.servers {
        let came = server.figure("tickwire_sockets_opened_total").await;
        assert!(came > 0.0, "{}: {came}", server.public);
    }
    nodes.close().await;
}

/// Rooms with bots of their own, which are made at the node to which each swarm comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_are_made_where_they_are_asked_for() {
    let nodes = Nodes::start(2);
    for server in &nodes.servers {
        let report = swarm_at(server.public, "--bots 4 --rooms 2").await;
        assert!(report.passed(), "{report}");
        assert_eq!(server.figure("tickwire_rooms").await, 2.0);
    }
    nodes.close().await;
}

/// nginx of the system, with the lines of `docs/proxies.md` for two nodes, in a folder of its own.
struct Nginx {
    process: Child,
    folder: PathBuf,
}

impl Nginx {
    /// In front of two nodes, at this port.
    async fn start(port: u16, nodes: &[Server]) -> Nginx {
        let page = include_str!("../../docs/proxies.md");
        let (_, section) = page.split_once("## Several nodes").expect("the section");
        let (_, block) = section.split_once("```nginx\n").expect("its lines");
        let (lines, _) = block.split_once("```").expect("they end");
        let plain = format!("listen 127.0.0.1:{port};");
        let lines = lines
            .replace("listen 443 ssl;", &plain)
            .replace("10.0.0.1:7777", &nodes[0].public.to_string())
            .replace("10.0.0.2:7777", &nodes[1].public.to_string());
        let lines: Vec<&str> = lines
            .lines()
            .filter(|line| !line.contains("ssl_"))
            .collect();
        let folder = std::env::temp_dir().join(format!("tickwire-nginx-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder of the test's own");
        let at = folder.display();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {at}/{name};"));
        let text = format!(
            "daemon off; worker_processes 1; pid {at}/pid; error_log {at}/log;\n\
             events {{ worker_connections 256; }}\n\
             http {{\naccess_log off;\n{}\n{}\n}}\n",
            temporary.join("\n"),
            lines.join("\n")
        );
        let config = folder.join("nginx.conf");
        std::fs::write(&config, text).expect("a file in it");
        let process = Command::new("nginx")
            .arg("-p")
            .arg(&folder)
            .arg("-c")
            .arg(&config)
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx of the system");
        let mut nginx = Nginx { process, folder };
        nginx.listens(port).await;
        nginx
    }

    async fn listens(&mut self, port: u16) {
        let end = Instant::now() + BOUND;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .is_err()
        {
            let ended = self.process.try_wait().expect("a child");
            let log = std::fs::read_to_string(self.folder.join("log"));
            assert!(ended.is_none() && Instant::now() < end, "{log:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// One host, behind which each connection comes to whichever node is next: with no memory of who
/// came where, everybody finds their room and comes back to their seat.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nginx: see `make test-all`"]
async fn behind_nginx_no_session_has_to_stick() {
    // Free now, and nobody else's until nginx has it.
    let probe = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = probe.local_addr().expect("a bound port");
    drop(probe);
    let url = |node| Some(format!("ws://{address}/n/{node}/ws"));
    let nodes = Nodes::start_at(2, url);
    let nginx = Nginx::start(address.port(), &nodes.servers).await;
    let host = Host::at(&nodes.servers[0]).await;
    let rest = format!(
        "--bots 12 --code {} --storm 500ms --return-within 20s",
        host.code
    );
    let report = swarm_at(address, &rest).await;
    assert!(report.passed(), "{report}");
    assert_eq!((report.bots_connected, report.desyncs), (12, 0), "{report}");
    assert_eq!(nodes.servers[1].figure("tickwire_rooms").await, 0.0);
    let came = nodes.servers[1]
        .figure("tickwire_sockets_opened_total")
        .await;
    assert!(came >= 6.0, "half of them came to the other node: {came}");
    drop(nginx);
    nodes.close().await;
}
