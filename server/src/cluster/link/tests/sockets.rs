//! Nodes on loopback. What is waited for is always something that happens; a limit of time is only
//! there so that a test that fails ends.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::super::table::STRANGERS_MAX;
use super::super::{ClusterKey, Event, Link, Port};
use crate::auth::Entropy;
use crate::directory::ownership::messages::{Answer, Incarnation};
use crate::metrics::Metrics;

const LIMIT: Duration = Duration::from_secs(30);
const ONE: Duration = Duration::from_secs(1);
const TWO: Duration = Duration::from_secs(2);

/// A node that says it has contact, and answers what it is asked with the same bytes.
struct Node {
    name: String,
    me: Incarnation,
    link: Link,
    heard: mpsc::UnboundedReceiver<Event>,
    metrics: Arc<Metrics>,
    task: JoinHandle<()>,
}

impl Node {
    async fn new(me: u64) -> Node {
        let (listener, name) = listen().await;
        Node::at(listener, name, me, 1, true)
    }

    /// With that key; one that is mute keeps what it is asked.
    fn at(listener: TcpListener, name: String, me: u64, key: u8, answers: bool) -> Node {
        let (key, me) = (ClusterKey::new(&[key; 32]), Incarnation(me));
        let metrics = Arc::new(Metrics::new().unwrap());
        let entropy = Entropy::default();
        let counted = Arc::clone(&metrics);
        let made = Link::new(Port(listener), key, name.clone(), me, entropy, counted);
        let (link, mut events) = made.unwrap();
        let (tell, heard) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Some(event) = events.recv().await {
                match event {
                    event if !answers => kept.push(event),
                    Event::AskedContact { reply } => reply.send(Answer::Contact(me)),
                    Event::Asked { from, .. } if from == me => panic!("asked by itself"),
                    Event::Asked { body, reply, .. } if body.is_empty() => drop(reply),
                    Event::Asked { body, reply, .. } => reply.send(body),
                    event => drop(tell.send(event)),
                }
            }
        });
        Node {
            name,
            me,
            link,
            heard,
            metrics,
            task,
        }
    }

    /// The first that is wanted of what it is told.
    async fn hears<T>(&mut self, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
        let heard = timeout(LIMIT, async {
            loop {
                let event = self.heard.recv().await.expect("the link is there");
                if let Event::Told { from } = event {
                    self.link.told(from);
                }
                if let Some(found) = wanted(&event) {
                    return found;
                }
            }
        });
        heard.await.expect("in time")
    }

    async fn contact(&mut self, node: &str, at: Duration) -> Answer {
        self.link.contact(node, at);
        self.hears(|event| match event {
            Event::Contact {
                node: of,
                asked,
                answer,
            } if of == node && *asked == at => Some(*answer),
            _ => None,
        })
        .await
    }

    async fn answer(&mut self, number: u64) -> Option<Bytes> {
        self.hears(|event| match event {
            Event::Answered { id, body } if *id == number => Some(body.clone()),
            _ => None,
        })
        .await
    }

    async fn loses(&mut self, name: &str) {
        let is_it = |event: &Event| matches!(event, Event::Unreachable { node } if node == name);
        self.hears(|event| is_it(event).then_some(())).await;
    }

    fn counted(&self, reason: &str) -> u64 {
        let line = format!("tickwire_peers_refused_total{{reason=\"{reason}\"}} ");
        let text = self.metrics.render();
        let count = text.lines().find_map(|text| text.strip_prefix(&line));
        count.unwrap().parse().unwrap()
    }

    /// Gone, and its port is free.
    async fn ends(self) -> String {
        drop(self.link);
        // The link's tasks held all that tells events.
        self.task.await.unwrap();
        self.name
    }
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let name = listener.local_addr().unwrap().to_string();
    (listener, name)
}

async fn accepted(listener: &TcpListener) -> TcpStream {
    timeout(LIMIT, listener.accept()).await.unwrap().unwrap().0
}

#[tokio::test]
async fn three_nodes_ask_and_tell_each_other() {
    let mut nodes = [Node::new(1).await, Node::new(2).await, Node::new(3).await];
    let names: Vec<_> = nodes.iter().map(|node| node.name.clone()).collect();
    for node in &mut nodes {
        // Itself too, which it leaves out.
        node.link.dial(names.iter().map(String::as_str));
        node.link
            .publish(Bytes::from(format!("rooms of {}", node.me.0)));
    }
    for place in 0..3 {
        for (other, name) in names
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != place)
        {
            let to = Incarnation(other as u64 + 1);
            let node = &mut nodes[place];
            assert_eq!(node.contact(name, ONE).await, Answer::Contact(to));
            for (id, body) in [(1, &b"a seat"[..]), (2, &b""[..])] {
                assert!(node.link.ask(name, to, id, Bytes::from_static(body)));
                let expected = (!body.is_empty()).then(|| Bytes::from_static(body));
                assert_eq!(node.answer(id).await, expected);
            }
            let stranger = Incarnation(77);
            assert!(
                node.link
                    .ask(name, stranger, 3, Bytes::from_static(b"a seat"))
            );
            assert_eq!(node.answer(3).await, None, "that is not who is there");
        }
    }
    let name = nodes[1].name.clone();
    for (place, node) in nodes.iter_mut().enumerate() {
        // Each told at once; more may come as it is told again.
        node.link
            .publish(Bytes::from(format!("rooms of {}, later", node.me.0)));
        if place != 1 {
            node.link.hurry(&name);
        }
    }
    let (mut told, mut hurried) = (0, BTreeSet::new());
    let node = &mut nodes[1];
    while told < 2 || hurried.len() < 2 {
        let event = timeout(LIMIT, node.heard.recv()).await.unwrap().unwrap();
        match event {
            Event::Hurry { from } => drop(hurried.insert(from)),
            Event::Told { from } => {
                let Some(batch) = node.link.told(from) else {
                    continue;
                };
                let begins = format!("rooms of {}", from.0);
                assert!(batch.starts_with(begins.as_bytes()));
                told += usize::from(batch.ends_with(b"later"));
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_refused_connect_is_told_at_once() {
    let mut node = Node::new(1).await;
    let (listener, name) = listen().await;
    drop(listener);
    node.link.dial([name.as_str()]);
    for at in [ONE, TWO] {
        assert_eq!(node.contact(&name, at).await, Answer::Refused);
    }
    assert!(node.link.ask(&name, Incarnation(2), 5, Bytes::new()));
    assert_eq!(node.answer(5).await, None);
    assert!(
        !node
            .link
            .ask("127.0.0.1:1", Incarnation(2), 6, Bytes::new()),
        "not dialed"
    );
}

#[tokio::test]
async fn who_accepts_and_says_nothing_gives_no_answer() {
    let mut node = Node::new(1).await;
    let (listener, name) = listen().await;
    node.link.dial([name.as_str()]);
    let first = accepted(&listener).await;
    node.link.contact(&name, ONE);
    // The first handshake took too long by then.
    let second = accepted(&listener).await;
    assert!(node.heard.try_recv().is_err(), "nothing is told");
    drop((listener, first, second));
    assert_eq!(node.contact(&name, TWO).await, Answer::Refused);
}

#[tokio::test]
async fn what_is_not_answered_in_time_has_no_answer() {
    let mut node = Node::new(1).await;
    let (listener, name) = listen().await;
    let mute = Node::at(listener, name.clone(), 2, 1, false);
    node.link.dial([name.as_str()]);
    let mut id = 0;
    // Until it is linked there is nobody to ask; then it is asked, and the answer does not come.
    let asked = loop {
        id += 1;
        let asked = tokio::time::Instant::now();
        assert!(
            node.link
                .ask(&name, mute.me, id, Bytes::from_static(b"a seat"))
        );
        assert_eq!(node.answer(id).await, None);
        if asked.elapsed() >= super::super::questions::ANSWER_MAX {
            break asked;
        }
        tokio::task::yield_now().await;
    };
    assert!(asked.elapsed() < LIMIT);
}

/// A way to a node that can be cut.
struct Proxy {
    name: String,
    listener: TcpListener,
    ways: JoinSet<()>,
}

impl Proxy {
    async fn new() -> Proxy {
        let (listener, name) = listen().await;
        Proxy {
            name,
            listener,
            ways: JoinSet::new(),
        }
    }

    async fn carry(&mut self, to: std::net::SocketAddr) {
        let mut near = accepted(&self.listener).await;
        self.ways.spawn(async move {
            let mut far = TcpStream::connect(to).await.unwrap();
            let _ = copy_bidirectional(&mut near, &mut far).await;
        });
    }
}

#[tokio::test]
async fn a_link_that_is_cut_is_told_and_made_again() {
    let mut node = Node::new(1).await;
    let mut proxy = Proxy::new().await;
    let (listener, _) = listen().await;
    let to = listener.local_addr().unwrap();
    let other = Node::at(listener, proxy.name.clone(), 2, 1, true);
    node.link.dial([other.name.as_str()]);
    for at in [ONE, TWO] {
        proxy.carry(to).await;
        assert_eq!(
            node.contact(&other.name, at).await,
            Answer::Contact(other.me)
        );
        proxy.ways.shutdown().await;
        node.loses(&other.name).await;
    }
    assert_eq!(other.counted("key") + other.counted("handshake"), 0);
}

#[tokio::test]
async fn another_key_gives_no_answer_and_is_counted() {
    let mut node = Node::new(1).await;
    let mut proxy = Proxy::new().await;
    let (listener, _) = listen().await;
    let to = listener.local_addr().unwrap();
    let other = Node::at(listener, proxy.name.clone(), 2, 9, true);
    node.link.dial([other.name.as_str()]);
    for _ in 0..3 {
        node.link.contact(&other.name, ONE);
        proxy.carry(to).await;
    }
    assert!(node.counted("key") >= 2);
    assert!(node.heard.try_recv().is_err(), "nothing is told");
}

#[tokio::test]
async fn a_node_that_was_started_again_is_another_incarnation() {
    let mut node = Node::new(1).await;
    let other = Node::new(2).await;
    let (name, me) = (other.name.clone(), other.me);
    node.link.dial([name.as_str()]);
    assert_eq!(node.contact(&name, ONE).await, Answer::Contact(me));
    let name = other.ends().await;
    node.loses(&name).await;
    assert_eq!(node.contact(&name, TWO).await, Answer::Refused);
    let listener = TcpListener::bind(&name).await.unwrap();
    let again = Node::at(listener, name.clone(), 3, 1, true);
    assert_eq!(
        node.contact(&name, ONE + TWO).await,
        Answer::Contact(again.me)
    );
}

#[tokio::test]
async fn a_node_that_goes_on_as_another_is_linked_anew() {
    let (mut node, mut other) = (Node::new(1).await, Node::new(2).await);
    let name = other.name.clone();
    node.link.dial([name.as_str()]);
    node.contact(&name, ONE).await;
    other.link.rename(Incarnation(20));
    node.loses(&name).await;
    node.contact(&name, TWO).await;
    for (id, to, is_there) in [(1, 2, false), (2, 20, true)] {
        assert!(
            node.link
                .ask(&name, Incarnation(to), id, Bytes::from_static(b"a seat"))
        );
        assert_eq!(node.answer(id).await.is_some(), is_there, "{to}");
    }
}

#[tokio::test]
async fn strangers_are_shown_out_and_keep_no_node_away() {
    let mut node = Node::new(1).await;
    let other = Node::new(2).await;
    let mut web = TcpStream::connect(&other.name).await.unwrap();
    web.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut read = Vec::new();
    // Its end, or a reset: there was more than was read.
    let _ = timeout(LIMIT, web.read_to_end(&mut read)).await.unwrap();
    assert!(read.is_empty());
    let mut silent = Vec::new();
    for _ in 0..2 * STRANGERS_MAX {
        silent.push(TcpStream::connect(&other.name).await.unwrap());
    }
    node.link.dial([other.name.as_str()]);
    assert_eq!(
        node.contact(&other.name, ONE).await,
        Answer::Contact(other.me)
    );
    for mut silent in silent {
        let read = timeout(LIMIT, silent.read_to_end(&mut read)).await.unwrap();
        assert!(matches!(read, Ok(0) | Err(_)));
    }
    assert!(other.counted("handshake") >= 1);
    assert!(other.counted("ungreeted") >= STRANGERS_MAX as u64);
}

#[tokio::test]
async fn who_is_not_dialed_any_more_leaves_nobody_waiting() {
    let mut node = Node::new(1).await;
    let (listener, name) = listen().await;
    let mute = Node::at(listener, name.clone(), 2, 1, false);
    node.link.dial([name.as_str()]);
    for id in 0..10 {
        assert!(
            node.link
                .ask(&name, mute.me, id, Bytes::from_static(b"a seat"))
        );
    }
    node.link.dial([]);
    assert!(!node.link.ask(&name, mute.me, 10, Bytes::new()));
    for id in 0..10 {
        assert_eq!(node.answer(id).await, None);
    }
}
