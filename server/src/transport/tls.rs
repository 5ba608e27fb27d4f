//! TLS of one connection after its handshake: rustls's state machine between the socket and what
//! a transport reads and writes. Without a thread or a task: it is fed what one read brought, and what
//! it makes of a write goes out in one write. The handshake, and which certificate, are
//! `certificate`'s.

use std::io::{self, Read, Write};
use std::mem;

use rustls::ServerConnection;

/// Bytes that become one record: what TLS allows. A snapshot is one record, as it is one frame.
const RECORD_BYTES: usize = 16 * 1024;

/// A connection's TLS state.
pub(super) struct Tls {
    session: ServerConnection,
    /// Whether the last byte that was taken was not acknowledged to who wrote it. Ciphertext that
    /// the kernel left waits in `session`, where no outbox sees it; with this byte the outbox
    /// keeps something, counts as blocked, and comes back to write.
    owed: bool,
}

impl Tls {
    /// A session whose handshake is done.
    pub(super) fn new(session: ServerConnection) -> Tls {
        Tls {
            session,
            owed: false,
        }
    }

    /// Takes plaintext that is there; 0 bytes if there is none.
    ///
    /// # Errors
    /// The peer ended the session.
    pub(super) fn take(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self.session.reader().read(bytes) {
            Ok(0) => Err(io::ErrorKind::ConnectionAborted.into()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            read => read,
        }
    }

    /// Takes in ciphertext. Only after [`Tls::take`] found nothing: what is not taken is bounded.
    ///
    /// # Errors
    /// It is not what the peer may send.
    pub(super) fn feed(&mut self, mut ciphertext: &[u8]) -> io::Result<()> {
        while !ciphertext.is_empty() && self.session.read_tls(&mut ciphertext)? > 0 {
            self.session
                .process_new_packets()
                .map_err(io::Error::other)?;
        }
        Ok(())
    }

    /// Writes plaintext by `send`, which is the socket's. As a socket it may take a part only, and
    /// the next write has to go on where that ended.
    ///
    /// # Errors
    /// `WouldBlock` when nothing could be taken, else those of `send`.
    pub(super) fn write(
        &mut self,
        bytes: &[u8],
        mut send: impl FnMut(&[u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        if !self.send_pending(&mut send)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut taken = usize::from(mem::take(&mut self.owed));
        while taken < bytes.len() {
            let end = bytes.len().min(taken + RECORD_BYTES);
            taken += self.session.writer().write(&bytes[taken..end])?;
            if !self.send_pending(&mut send)? {
                self.owed = true;
                return match taken - 1 {
                    0 => Err(io::ErrorKind::WouldBlock.into()),
                    acknowledged => Ok(acknowledged),
                };
            }
        }
        Ok(taken)
    }

    /// Says goodbye as far as one write takes it.
    pub(super) fn close(&mut self, mut send: impl FnMut(&[u8]) -> io::Result<usize>) {
        self.session.send_close_notify();
        // The socket's end tells the peer as well.
        let _ = self.send_pending(&mut send);
    }

    /// Whether all ciphertext is out.
    fn send_pending(
        &mut self,
        send: &mut impl FnMut(&[u8]) -> io::Result<usize>,
    ) -> io::Result<bool> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut Through(send)) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

/// The socket as rustls takes it.
struct Through<'a, F>(&'a mut F);

impl<F: FnMut(&[u8]) -> io::Result<usize>> Write for Through<'_, F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.0)(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::Instant;

    use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
    use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig};
    use tickwire::protocol::CloseCode;

    use crate::transport::outbox::Framing;
    use crate::transport::send_buffers::SendBuffers;
    use crate::transport::websocket::Frames;

    type Outbox = crate::transport::outbox::Outbox<Frames>;

    /// Both ends of a session after the handshake.
    fn pair() -> (Tls, ClientConnection) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()).into();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
        let mut server = ServerConnection::new(Arc::new(server)).unwrap();
        while client.is_handshaking() || server.is_handshaking() || server.wants_write() {
            let (mut there, mut back) = (Vec::new(), Vec::new());
            while client.wants_write() {
                client.write_tls(&mut there).unwrap();
            }
            let mut there = there.as_slice();
            while !there.is_empty() {
                server.read_tls(&mut there).unwrap();
                server.process_new_packets().unwrap();
            }
            while server.wants_write() {
                server.write_tls(&mut back).unwrap();
            }
            let mut back = back.as_slice();
            while !back.is_empty() {
                client.read_tls(&mut back).unwrap();
                client.process_new_packets().unwrap();
            }
        }
        (Tls::new(server), client)
    }

    /// What the client makes of these bytes.
    fn decrypt(client: &mut ClientConnection, mut sent: &[u8], into: &mut Vec<u8>) {
        while !sent.is_empty() {
            client.read_tls(&mut sent).unwrap();
            client.process_new_packets().unwrap();
            match client.reader().read_to_end(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                ended => panic!("{ended:?}"),
            }
        }
    }

    /// A kernel that takes so many bytes a write, and nothing in every other one.
    struct Kernel {
        takes: usize,
        full: bool,
        sent: Vec<u8>,
    }

    impl Kernel {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.full = !self.full;
            if self.full {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let size = bytes.len().min(self.takes);
            self.sent.extend_from_slice(&bytes[..size]);
            Ok(size)
        }
    }

    #[test]
    fn what_the_kernel_cuts_arrives_whole_and_in_order() {
        for takes in [1, 7, 100, 1_000, 17_000] {
            let (mut tls, mut client) = pair();
            let mut kernel = Kernel {
                takes,
                full: false,
                sent: Vec::new(),
            };
            let (mut outbox, mut send_buffers) = (Outbox::default(), SendBuffers::default());
            let now = Instant::now();
            let mut plain = Vec::new();
            for number in 0..20_u8 {
                outbox.push_parts(&[&[number; 300]]);
                if number % 4 == 3 {
                    outbox.push_parts(&[&vec![number; 20_000]]);
                }
                if !outbox.backlog().is_blocked() {
                    send_buffers.clear();
                    send_buffers
                        .begin(outbox.front_bytes())
                        .extend_from_slice(&[100 + number; 500]);
                    let send_buffer = send_buffers.end();
                    outbox
                        .flush_with(&mut send_buffers, send_buffer, now, |bytes| {
                            tls.write(bytes, |bytes| kernel.write(bytes))
                        })
                        .unwrap();
                }
                outbox
                    .flush(now, |bytes| tls.write(bytes, |bytes| kernel.write(bytes)))
                    .unwrap();
            }
            while outbox.backlog().waiting_bytes > 0 {
                outbox
                    .flush(now, |bytes| tls.write(bytes, |bytes| kernel.write(bytes)))
                    .unwrap();
            }
            assert!(
                !tls.session.wants_write(),
                "{takes}: an empty outbox left something"
            );
            decrypt(&mut client, &kernel.sent, &mut plain);
            assert_eq!(numbers(&plain), expected(&numbers(&plain)), "{takes}");
        }
    }

    /// The first byte of every frame's payload; the payload must be of that byte throughout.
    fn numbers(mut plain: &[u8]) -> Vec<(u8, usize)> {
        let mut numbers = Vec::new();
        while !plain.is_empty() {
            let size = Frames::frame_bytes(plain);
            let header = if size > 126 + 4 { 4 } else { 2 };
            let payload = &plain[header..size];
            assert!(payload.iter().all(|byte| *byte == payload[0]));
            numbers.push((payload[0], payload.len()));
            plain = &plain[size..];
        }
        numbers
    }

    /// Every control message in its order; snapshots only where none was in their way.
    fn expected(got: &[(u8, usize)]) -> Vec<(u8, usize)> {
        let mut expected = Vec::new();
        for number in 0..20 {
            expected.push((number, 300));
            if number % 4 == 3 {
                expected.push((number, 20_000));
            }
            if got.contains(&(100 + number, 500)) {
                expected.push((100 + number, 500));
            }
        }
        expected
    }

    #[test]
    fn a_stalled_close_follows_what_was_encrypted() {
        let (mut tls, mut client) = pair();
        let mut kernel = Kernel {
            takes: 50,
            full: false,
            sent: Vec::new(),
        };
        let now = Instant::now();
        let mut outbox = Outbox::default();
        outbox.push_parts(&[&[1; 200]]);
        outbox.push_parts(&[&[2; 200]]);
        outbox
            .flush(now, |bytes| tls.write(bytes, |bytes| kernel.write(bytes)))
            .unwrap();
        assert!(outbox.backlog().is_blocked());
        outbox.push_close(CloseCode::Stalled);
        while outbox.backlog().waiting_bytes > 0 {
            outbox
                .flush(now, |bytes| tls.write(bytes, |bytes| kernel.write(bytes)))
                .unwrap();
        }
        let mut plain = Vec::new();
        decrypt(&mut client, &kernel.sent, &mut plain);
        assert_eq!(plain[4..204], [1; 200]);
        assert_eq!(plain[208..408], [2; 200]);
        assert_eq!(plain[410..412], CloseCode::Stalled.number().to_be_bytes());
    }

    #[test]
    fn records_are_read_however_they_are_cut() {
        let (mut tls, mut client) = pair();
        let mut sent = Vec::new();
        for number in 0..10_u8 {
            client.writer().write_all(&[number; 3000]).unwrap();
            client.write_tls(&mut sent).unwrap();
        }
        let (mut plain, mut scratch) = (Vec::new(), [0; 512]);
        for piece in sent.chunks(1000) {
            tls.feed(piece).unwrap();
            loop {
                match tls.take(&mut scratch).unwrap() {
                    0 => break,
                    size => plain.extend_from_slice(&scratch[..size]),
                }
            }
        }
        let expected: Vec<u8> = (0..10_u8).flat_map(|number| [number; 3000]).collect();
        assert_eq!(plain, expected);
        assert!(
            tls.feed(b"\x17\x03\x03\x00\x20 not what was agreed upon ...........")
                .is_err()
        );
    }
}
