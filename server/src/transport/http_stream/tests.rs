//! A stream in memory, on virtual time: its requests are calls, its sockets take what a test lets
//! them.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use tickwire::protocol::{CloseCode, Kind};
use tokio::io::Interest;
use tokio::sync::oneshot;

use super::down::Down;
use super::exchange::{Arrival, Exchange, Pushed};
use super::frames::LIFE_FRAME;
use super::state::HttpStream;
use crate::admission::limiter::Rates;
use crate::transport::reading::{Fetched, Reading, Scratch};
use crate::transport::send_buffers::SendBuffers;
use crate::transport::socket::Socket;
use crate::transport::way::{End, Transport, WAITING_BYTES_MAX};

const RATES: Rates = Rates {
    messages_per_second: 100,
    bytes_per_second: 10_000,
    control_per_second: 2,
};

/// A client's end of a streaming answer.
#[derive(Clone, Default)]
struct Pipe {
    got: Arc<Mutex<Vec<u8>>>,
    /// Bytes that it still takes; [`GONE`]: it has closed.
    takes: Arc<AtomicUsize>,
}

const GONE: usize = usize::MAX;

impl Pipe {
    fn open() -> Pipe {
        let pipe = Pipe::default();
        pipe.takes.store(GONE - 1, Ordering::Relaxed);
        pipe
    }

    /// What came since the last call.
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.got.lock())
    }
}

impl Socket for Pipe {
    fn try_read(&self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self.takes.load(Ordering::Relaxed) {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            GONE => Err(io::ErrorKind::BrokenPipe.into()),
            takes => {
                let size = bytes.len().min(takes);
                self.takes.fetch_sub(size, Ordering::Relaxed);
                self.got.lock().extend_from_slice(&bytes[..size]);
                Ok(size)
            }
        }
    }

    fn shutdown(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream and what its requests reach.
struct Rig {
    stream: HttpStream<Pipe>,
    exchange: Arc<Exchange<Pipe>>,
    now: Instant,
    number: u32,
}

impl Rig {
    fn new() -> Rig {
        let exchange = Arc::new(Exchange::new([b'5'; 32]));
        let now = Instant::now();
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        Rig {
            stream: HttpStream::new(exchange.clone(), Box::new(()), peer, now),
            exchange,
            now,
            number: 0,
        }
    }

    fn wait(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
    }

    /// A request for a streaming answer, by a client that has so many messages.
    fn stream(&self, received: u32) -> Pipe {
        let pipe = Pipe::open();
        let down = Down::Stream {
            socket: pipe.clone(),
            tls: None,
            _held: Box::new(()),
        };
        assert!(self.exchange.arrive(Arrival { down, received }));
        pipe
    }

    fn poll(&self, received: u32) -> oneshot::Receiver<Bytes> {
        let (answer, answered) = oneshot::channel();
        let down = Down::Poll(answer);
        assert!(self.exchange.arrive(Arrival { down, received }));
        answered
    }

    /// The next batch.
    fn bring(&mut self, frames: Vec<u8>) -> Pushed {
        self.number += 1;
        let pushed = self.exchange.push(self.number, frames.into());
        if pushed == Pushed::Full {
            self.number -= 1;
        }
        pushed
    }

    /// All that one turn reads.
    fn read(&mut self) -> Result<Vec<Vec<u8>>, End> {
        let mut scratch = Scratch::default();
        let mut reading = Reading::new(&mut scratch, Fetched::NONE, RATES, self.now);
        let mut messages = Vec::new();
        while let Some(message) = self.stream.next(&mut reading)? {
            messages.push(message.to_vec());
        }
        self.stream.keep(&mut reading);
        Ok(messages)
    }

    /// A turn in which a message is composed, as a room does it.
    fn turn(&mut self, message: &[u8]) -> Result<bool, End> {
        self.read()?;
        if self.stream.backlog().is_blocked() {
            self.stream.flush(self.now)?;
        }
        if self.stream.backlog().is_blocked() {
            return Ok(false);
        }
        let mut send_buffers = SendBuffers::default();
        let front = self.stream.front_bytes();
        send_buffers.begin(front).extend_from_slice(message);
        let send_buffer = send_buffers.end();
        self.stream
            .flush_with(&mut send_buffers, send_buffer, self.now)?;
        Ok(true)
    }

    fn is_ready(&mut self, interest: Interest) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.stream.poll_ready(&mut cx, interest).is_ready()
    }
}

/// The frame of a message.
fn framed(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u32).to_le_bytes();
    [&[0, length[0], length[1], length[2]], message].concat()
}

fn close(code: u16) -> Vec<u8> {
    [&[1, 2, 0, 0][..], &code.to_le_bytes()].concat()
}

fn answer(poll: &mut oneshot::Receiver<Bytes>) -> Option<Vec<u8>> {
    poll.try_recv().ok().map(|answer| answer.to_vec())
}

#[test]
fn what_waits_and_a_snapshot_go_out_together() {
    let mut rig = Rig::new();
    rig.stream.send(b"welcome");
    assert_eq!(rig.turn(b"too early"), Ok(false));
    let pipe = rig.stream(0);
    assert_eq!(rig.turn(b"first"), Ok(true));
    rig.stream.send(b"line");
    assert_eq!(rig.turn(b"second"), Ok(true));
    let sent = [&b"welcome"[..], b"first", b"line", b"second"];
    assert_eq!(pipe.take(), sent.map(framed).concat());
}

#[test]
fn a_client_that_takes_little_gets_every_byte_in_order() {
    for takes in 1..40 {
        let mut rig = Rig::new();
        let pipe = rig.stream(0);
        pipe.takes.store(0, Ordering::Relaxed);
        let (mut expected, mut got) = (Vec::new(), Vec::new());
        for number in 0..50 {
            rig.stream.send(&[number; 9]);
            expected.extend(framed(&[number; 9]));
            if rig.turn(&[number; 30]).unwrap() {
                expected.extend(framed(&[number; 30]));
            }
            pipe.takes.store(takes, Ordering::Relaxed);
        }
        pipe.takes.store(GONE - 1, Ordering::Relaxed);
        rig.stream.flush(rig.now).unwrap();
        got.extend(pipe.take());
        assert_eq!(got, expected, "{takes}");
    }
}

#[test]
fn the_later_way_wins_and_goes_on_where_the_first_ended() {
    let mut rig = Rig::new();
    let first = rig.stream(0);
    assert_eq!(rig.turn(b"one"), Ok(true));
    let second = rig.stream(1);
    assert_eq!(rig.turn(b"two"), Ok(true));
    assert_eq!(first.take(), framed(b"one"));
    assert_eq!(second.take(), framed(b"two"));
    assert_eq!(Arc::strong_count(&first.got), 1, "it is closed");
    // Two at once: nobody sees the one that came before.
    let (third, fourth) = (rig.stream(2), rig.stream(2));
    assert_eq!(rig.turn(b"three"), Ok(true));
    assert_eq!((third.take(), fourth.take()), (vec![], framed(b"three")));
    assert_eq!(Arc::strong_count(&third.got), 1);
}

#[test]
fn who_misses_a_message_of_a_stream_is_lost() {
    for received in [0, 1, 3, u32::MAX] {
        let mut rig = Rig::new();
        rig.stream(0);
        assert_eq!(rig.turn(b"one"), Ok(true));
        assert_eq!(rig.turn(b"two"), Ok(true));
        rig.stream(received);
        assert_eq!(rig.turn(b"three"), Err(End::Lost), "{received}");
    }
    // Amid a message nobody knows what arrived of it.
    let mut rig = Rig::new();
    let pipe = rig.stream(0);
    pipe.takes.store(6, Ordering::Relaxed);
    assert_eq!(rig.turn(b"one"), Ok(true));
    rig.stream(0);
    assert_eq!(rig.turn(b"two"), Err(End::Lost));
    // What a socket that is gone was given is lost with it.
    let mut rig = Rig::new();
    rig.stream(0).takes.store(GONE, Ordering::Relaxed);
    assert_eq!(rig.turn(b"one"), Ok(true));
    rig.stream(0);
    assert_eq!(rig.turn(b"two"), Err(End::Lost));
}

#[test]
fn a_poll_is_answered_with_all_there_is() {
    let mut rig = Rig::new();
    rig.stream.send(b"welcome");
    let mut poll = rig.poll(0);
    assert_eq!(rig.turn(b"one"), Ok(true));
    let sent = [framed(b"welcome"), framed(b"one")].concat();
    assert_eq!(answer(&mut poll), Some(sent));
    assert_eq!(rig.turn(b"nobody asks"), Ok(false));
    let mut poll = rig.poll(2);
    rig.read().unwrap();
    rig.stream.flush(rig.now).unwrap();
    assert_eq!(answer(&mut poll), None, "there is nothing to say");
    assert_eq!(rig.turn(b"two"), Ok(true));
    assert_eq!(answer(&mut poll), Some(framed(b"two")));
}

#[test]
fn the_answer_to_a_poll_comes_again_until_it_arrived() {
    let mut rig = Rig::new();
    let mut poll = rig.poll(0);
    assert_eq!(rig.turn(b"one"), Ok(true));
    assert_eq!(answer(&mut poll), Some(framed(b"one")));
    let mut again = rig.poll(0);
    assert_eq!(rig.turn(b"two"), Ok(true));
    let both = [framed(b"one"), framed(b"two")].concat();
    assert_eq!(answer(&mut again), Some(both.clone()));
    let again = rig.stream(0);
    rig.read().unwrap();
    rig.stream.flush(rig.now).unwrap();
    assert_eq!(again.take(), both, "by a stream as well");
    // It arrived: there is nothing to say again.
    let mut poll = rig.poll(2);
    assert_eq!(rig.turn(b"three"), Ok(true));
    assert_eq!(answer(&mut poll), Some(framed(b"three")));
    rig.poll(1);
    assert_eq!(
        rig.turn(b"four"),
        Err(End::Lost),
        "more than one answer is gone"
    );
}

#[test]
fn what_nobody_waits_for_any_more_is_kept() {
    let mut rig = Rig::new();
    drop(rig.poll(0));
    rig.stream.send(b"line");
    assert_eq!(rig.turn(b"skipped"), Ok(false));
    assert!(rig.stream.backlog().is_blocked());
    let mut poll = rig.poll(0);
    assert_eq!(rig.turn(b"one"), Ok(true));
    let sent = [framed(b"line"), framed(b"one")].concat();
    assert_eq!(answer(&mut poll), Some(sent));
}

#[test]
fn a_client_without_a_way_down_is_gone_after_five_seconds() {
    let mut rig = Rig::new();
    rig.wait(4900);
    assert_eq!(rig.turn(b"one"), Ok(false));
    let poll = rig.poll(0);
    rig.wait(20000);
    assert_eq!(rig.turn(b"one"), Ok(true));
    drop(poll);
    rig.wait(4900);
    assert_eq!(rig.turn(b"two"), Ok(false));
    assert_eq!(
        rig.stream.wakes_at(),
        Some(rig.now + Duration::from_millis(100))
    );
    rig.wait(200);
    assert_eq!(rig.turn(b"two"), Err(End::Lost));
    // Messages that it brings are no way down.
    let mut rig = Rig::new();
    for _ in 0..50 {
        rig.wait(100);
        rig.bring(framed(b"x"));
        if rig.read().is_err() {
            return;
        }
    }
    panic!("it lives on");
}

#[test]
fn a_silent_stream_shows_that_it_lives() {
    let mut rig = Rig::new();
    let pipe = rig.stream(0);
    rig.stream.flush(rig.now).unwrap();
    assert_eq!(pipe.take(), b"");
    assert_eq!(
        rig.stream.wakes_at(),
        Some(rig.now + Duration::from_secs(5))
    );
    for _ in 0..3 {
        rig.wait(5000);
        rig.stream.flush(rig.now).unwrap();
        assert_eq!(pipe.take(), LIFE_FRAME);
        rig.stream.flush(rig.now).unwrap();
        assert_eq!(pipe.take(), b"");
    }
    // It counts as no message.
    let next = rig.stream(0);
    assert_eq!(rig.turn(b"one"), Ok(true));
    assert_eq!(next.take(), framed(b"one"));
    // And finds out who is gone.
    next.takes.store(GONE, Ordering::Relaxed);
    rig.wait(5000);
    rig.stream.flush(rig.now).unwrap();
    assert!(rig.stream.backlog().is_blocked());
}

#[test]
fn who_reads_nothing_is_stalled_and_bounded() {
    let timeout = Duration::from_secs(10);
    let mut rig = Rig::new();
    let pipe = rig.stream(0);
    pipe.takes.store(0, Ordering::Relaxed);
    assert_eq!(rig.turn(&[0; 300]), Ok(true));
    assert_eq!(rig.turn(&[0; 300]), Ok(false));
    let since = rig.now;
    assert!(!rig.stream.backlog().is_stalled(since, timeout));
    assert!(rig.stream.backlog().is_stalled(since + timeout, timeout));
    assert_eq!(
        rig.stream.backlog().stalls_at(timeout),
        Some(since + timeout)
    );
    (0..1000).for_each(|_| rig.stream.send(&[0; 1000]));
    assert!(rig.stream.backlog().waiting_bytes <= WAITING_BYTES_MAX);
    assert!(rig.stream.backlog().is_stalled(since, timeout));
    rig.stream.push_close(CloseCode::Stalled);
    pipe.takes.store(GONE - 1, Ordering::Relaxed);
    rig.stream.flush(rig.now).unwrap();
    let sent = pipe.take();
    let reason = CloseCode::Stalled.reason();
    assert!(sent.len() < 20 + reason.len() && sent.ends_with(reason.as_bytes()));
}

#[test]
fn batches_are_read_in_order_and_within_bounds() {
    let mut rig = Rig::new();
    rig.stream(0);
    let mut sent = Vec::new();
    for number in 0..5 {
        let messages = [vec![9, number, 1], vec![9, number, 2], vec![9; 4000]];
        let batch = messages.iter().flat_map(|message| framed(message));
        assert_eq!(rig.bring(batch.collect()), Pushed::Taken);
        sent.extend(messages);
    }
    let first = rig.read().unwrap();
    assert!(first.len() < sent.len(), "16 KiB in one turn");
    assert!(rig.is_ready(Interest::READABLE), "there is more");
    let mut read = first;
    for _ in 0..2 {
        read.extend(rig.read().unwrap());
    }
    assert_eq!(read, sent);
    assert!(!rig.is_ready(Interest::READABLE));
}

#[test]
fn who_sends_too_much_is_closed() {
    let control = framed(&[Kind::Control as u8]);
    for (frames, batches) in [(framed(&[9]), 401), (Vec::new(), 401), (control, 9)] {
        let mut rig = Rig::new();
        rig.stream(0);
        let mut ended = Ok(Vec::new());
        for _ in 0..batches {
            assert!(ended.is_ok(), "{frames:?}");
            assert_eq!(rig.bring(frames.clone()), Pushed::Taken);
            ended = rig.read();
        }
        assert_eq!(ended, Err(End::Close(CloseCode::TooMany)), "{frames:?}");
    }
}

#[test]
fn a_goodbye_is_none_for_who_may_come_back() {
    for (code, end) in [(1000, End::Goodbye), (1001, End::Away), (4010, End::Away)] {
        let mut rig = Rig::new();
        assert_eq!(
            rig.bring([framed(b"last"), close(code)].concat()),
            Pushed::Taken
        );
        let mut scratch = Scratch::default();
        let mut reading = Reading::new(&mut scratch, Fetched::NONE, RATES, rig.now);
        assert_eq!(rig.stream.next(&mut reading), Ok(Some(&b"last"[..])));
        assert_eq!(rig.stream.next(&mut reading), Err(end), "{code}");
    }
}

#[test]
fn what_breaks_the_rules_has_the_code_of_what_it_broke() {
    for (batch, code) in [
        (vec![7, 0, 0, 0], CloseCode::Protocol),
        (framed(&[0; 4097]), CloseCode::TooBig),
    ] {
        let mut rig = Rig::new();
        rig.bring(framed(b"good"));
        assert_eq!(rig.bring(batch), Pushed::Broken);
        assert_eq!(rig.read(), Err(End::Close(code)));
    }
}

/// Else its task would go round and round for as long as somebody sends.
#[test]
fn who_is_being_closed_is_not_listened_to() {
    let mut rig = Rig::new();
    rig.stream.push_close(CloseCode::Malformed);
    for _ in 0..3 {
        assert_eq!(rig.bring(framed(b"more")), Pushed::Taken);
        assert!(rig.is_ready(Interest::WRITABLE), "it is looked at");
        rig.stream.flush(rig.now).unwrap();
        assert!(!rig.is_ready(Interest::WRITABLE), "and not again");
    }
    let mut poll = rig.poll(0);
    assert!(rig.is_ready(Interest::WRITABLE));
    rig.stream.flush(rig.now).unwrap();
    let told = answer(&mut poll).unwrap();
    assert_eq!((told[0], &told[4..6]), (1, &4000_u16.to_le_bytes()[..]));
    rig.stream.finish().unwrap();
    assert_eq!(rig.stream.discard().unwrap(), 0, "nobody is waited for");
}

#[test]
fn nothing_comes_after_its_end() {
    let Rig {
        stream, exchange, ..
    } = Rig::new();
    drop(stream);
    assert_eq!(exchange.push(1, framed(b"x").into()), Pushed::Over);
    let (answer, mut answered) = oneshot::channel();
    let down = Down::Poll(answer);
    assert!(!exchange.arrive(Arrival { down, received: 0 }));
    assert!(answered.try_recv().is_err());
    let mut batches = VecDeque::new();
    assert!(exchange.take(&mut batches).0.is_none() && batches.is_empty());
}

#[tokio::test]
async fn a_poll_without_an_answer_ends_empty() {
    let mut rig = Rig::new();
    let exchange = rig.exchange.clone();
    let poll = exchange.poll(0, Duration::ZERO);
    assert_eq!(poll.await.as_deref(), Some(&b""[..]));
    let patience = Duration::from_secs(25);
    let (first, second) = (exchange.poll(0, patience), exchange.poll(0, patience));
    let turn = async {
        tokio::task::yield_now().await;
        rig.turn(b"one").unwrap()
    };
    let (first, second, turned) = tokio::join!(first, second, turn);
    assert!(turned);
    assert_eq!(first, None, "the later one wins");
    assert_eq!(second.as_deref(), Some(&framed(b"one")[..]));
}
