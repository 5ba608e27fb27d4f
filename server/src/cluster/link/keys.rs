//! What is signed on a link: both ends prove that they have the cluster's key, over everything that
//! was said so far, and each message then has a tag by a key of its session and direction, and its
//! place in the order. That is integrity, no secrecy: bytes can be read on their way, and neither
//! changed, repeated, left out nor turned to another node. [`super::session`] calls it.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key, Tag};

use super::wire::{FORMAT, Nonce, TAG_BYTES};

/// What each MAC by the key begins with: one of a later form of links is taken for none of these.
const DOMAIN: &[u8] = b"tickwire peer link";

/// What all nodes have. Clones are the same key.
#[derive(Clone)]
pub(crate) struct ClusterKey(Key);

/// It belongs into no log.
impl fmt::Debug for ClusterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClusterKey(..)")
    }
}

/// All that two ends said before they prove anything: who they are, and a number that each has
/// chosen for this session.
#[derive(Clone, Debug)]
pub(super) struct Transcript {
    pub(super) dialer: (Nonce, u64),
    pub(super) acceptor: (Nonce, u64),
    /// Whom the dialer wants, and who the acceptor says that it is.
    pub(super) node: String,
}

/// What is made of a transcript: each is another text, so none is taken for another.
#[derive(Clone, Copy)]
enum Purpose {
    AcceptorProof,
    DialerProof,
    ToAcceptor,
    ToDialer,
}

/// Seals or checks the messages of one direction of a session.
pub(super) struct Seal {
    key: Key,
    /// Messages so far. At a million a second it lasts for longer than anybody plays.
    count: u64,
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").field("count", &self.count).finish()
    }
}

impl ClusterKey {
    /// The one that is made for links: [`ClusterKeys::link`](crate::auth::ClusterKeys::link).
    pub(crate) fn new(key: &[u8; 32]) -> ClusterKey {
        ClusterKey(Key::new(HMAC_SHA256, key))
    }

    /// What the acceptor, or the dialer, proves itself with.
    pub(super) fn proof(&self, said: &Transcript, of_dialer: bool) -> [u8; 32] {
        let purpose = match of_dialer {
            true => Purpose::DialerProof,
            false => Purpose::AcceptorProof,
        };
        let mut proof = [0; 32];
        proof.copy_from_slice(self.sign(said, purpose).as_ref());
        proof
    }

    /// Whether it is that.
    pub(super) fn proves(&self, said: &Transcript, of_dialer: bool, proof: &[u8; 32]) -> bool {
        verify_slices_are_equal(&self.proof(said, of_dialer), proof).is_ok()
    }

    /// For what the dialer sends, or for what it gets.
    pub(super) fn seal(&self, said: &Transcript, by_dialer: bool) -> Seal {
        let purpose = match by_dialer {
            true => Purpose::ToAcceptor,
            false => Purpose::ToDialer,
        };
        let key = Key::new(HMAC_SHA256, self.sign(said, purpose).as_ref());
        Seal { key, count: 0 }
    }

    fn sign(&self, said: &Transcript, purpose: Purpose) -> Tag {
        let mut mac = Context::with_key(&self.0);
        mac.update(DOMAIN);
        mac.update(&FORMAT.to_le_bytes());
        mac.update(&[purpose as u8]);
        for (nonce, me) in [said.dialer, said.acceptor] {
            mac.update(&nonce);
            mac.update(&me.to_le_bytes());
        }
        // Last, because it alone has no length of its own.
        mac.update(said.node.as_bytes());
        mac.sign()
    }
}

impl Seal {
    /// The tag of the next message.
    pub(super) fn tag(&mut self, body: &[u8]) -> [u8; TAG_BYTES] {
        let mut mac = Context::with_key(&self.key);
        mac.update(&self.count.to_le_bytes());
        mac.update(body);
        self.count += 1;
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(&mac.sign().as_ref()[..TAG_BYTES]);
        tag
    }

    /// Whether it is the next message's.
    pub(super) fn checks(&mut self, body: &[u8], tag: &[u8]) -> bool {
        verify_slices_are_equal(&self.tag(body), tag).is_ok()
    }
}
