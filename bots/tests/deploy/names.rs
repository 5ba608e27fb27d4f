//! The names that containers and pods have, for nginx: a server that answers what it is asked for
//! by name with addresses of this machine (RFC 1035), and for all else says that there is none.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// Bytes of a header, before the question.
const HEAD: usize = 12;
/// A question's type and class, after its name.
const TAIL: usize = 4;

pub(crate) struct Names {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Names {
    /// On a free port.
    pub(crate) async fn start(names: BTreeMap<String, Vec<Ipv4Addr>>) -> Names {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let socket = socket.expect("loopback has ports");
        let address = socket.local_addr().expect("a bound port");
        let task = tokio::spawn(async move {
            let mut bytes = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut bytes).await {
                if let Some(answer) = answer(&bytes[..length], &names) {
                    // Who has gone needs none.
                    let _ = socket.send_to(&answer, from).await;
                }
            }
        });
        Names { address, task }
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn answer(asked: &[u8], names: &BTreeMap<String, Vec<Ipv4Addr>>) -> Option<Vec<u8>> {
    let mut labels = Vec::new();
    let mut at = HEAD;
    while *asked.get(at)? > 0 {
        let end = at + 1 + usize::from(asked[at]);
        labels.push(std::str::from_utf8(asked.get(at + 1..end)?).ok()?);
        at = end;
    }
    let question = asked.get(HEAD..at + 1 + TAIL)?;
    let found = names.get(&labels.join(".").to_ascii_lowercase());
    let is_of_addresses = question.ends_with(&[0, 1, 0, 1]);
    let addresses = found
        .filter(|_| is_of_addresses)
        .map_or(&[][..], Vec::as_slice);
    // An answer with authority; or that there is no such name.
    let code = if found.is_some() { 0 } else { 3 };
    let mut answer = asked[..2].to_vec();
    answer.extend([
        0x85,
        0x80 | code,
        0,
        1,
        0,
        u8::try_from(addresses.len()).ok()?,
        0,
        0,
        0,
        0,
    ]);
    answer.extend(question);
    for address in addresses {
        // Of the question's name: an address, of the internet, for a second, in four bytes.
        answer.extend([0xc0, HEAD as u8, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4]);
        answer.extend(address.octets());
    }
    Some(answer)
}
