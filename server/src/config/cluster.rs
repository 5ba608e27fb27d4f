//! The settings that make a server a node of a cluster: what they may be together, and what a node
//! reads of them. A server without `cluster-url` is alone, and has none of them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::connect_origin::ConnectOrigin;
use super::engine_url::EngineUrl;
use super::error::ConfigError;
use super::file::read_file;
use super::node_url::NodeUrl;
use super::peer_address::PeerAddress;
use super::settings::{Config, DETACHED, REGION};

/// Characters of a region's name.
const REGION_CHARS: usize = 32;

/// What a node is told. [`Config::cluster`] makes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cluster<'a> {
    /// Where the engine is.
    pub(crate) engine: &'a EngineUrl,
    /// Where clients reach this node.
    pub(crate) url: &'a NodeUrl,
    /// Where its peers' connections come in.
    pub(crate) peer_listen: SocketAddr,
    advertised: Option<&'a PeerAddress>,
    /// Of the secret that all nodes have, for [`crate::auth::ClusterKeys`].
    pub(crate) key_file: &'a Path,
    /// 1 to 32 small letters, digits and hyphens.
    pub(crate) region: &'a str,
    ca_file: Option<&'a Path>,
    /// Longest play without the engine, at most an hour.
    pub(crate) detached: Duration,
}

impl Cluster<'_> {
    /// The node's name, which its peers dial, where they reach it at `bound` unless the operator
    /// says otherwise.
    pub(crate) fn peer_name(&self, bound: SocketAddr) -> String {
        match self.advertised {
            Some(address) => address.to_string(),
            None => bound.to_string(),
        }
    }

    /// The authorities that are believed for the engine's certificate, in PEM. `None`: those of the
    /// system.
    ///
    /// # Errors
    /// One line: the file can't be read.
    pub(crate) fn authorities(&self) -> Result<Option<(&Path, Vec<u8>)>, ConfigError> {
        let read = |path| Ok((path, read_file(path, "cluster-ca-file")?));
        self.ca_file.map(read).transpose()
    }
}

impl Config {
    /// What makes this server a node; `None`: it is alone. Of settings that hold.
    pub(crate) fn cluster(&self) -> Option<Cluster<'_>> {
        Some(Cluster {
            engine: self.cluster_url.as_ref()?,
            url: self.node_url.as_ref()?,
            peer_listen: self.peer_listen?,
            advertised: self.peer_advertise.as_ref(),
            key_file: self.cluster_key_file.as_deref()?,
            region: &self.cluster_region,
            ca_file: self.cluster_ca_file.as_deref(),
            detached: self.detached_play,
        })
    }

    /// Servers to which this one's pages may connect besides their own host: those that the
    /// operator names, and this node, to which others may lead them back.
    pub(crate) fn servers_of_pages(&self) -> Vec<ConnectOrigin> {
        let own = self.node_url.as_ref().and_then(NodeUrl::origin);
        let own = own.filter(|own| !self.connect_origins.contains(own));
        self.connect_origins.iter().cloned().chain(own).collect()
    }

    /// Whether they make sense together.
    ///
    /// # Errors
    /// One line that names a setting and what would do.
    pub(super) fn check_cluster(&self) -> Result<(), ConfigError> {
        let refuse = |why: String| Err(ConfigError::new(why));
        let Some(engine) = &self.cluster_url else {
            return match self.of_a_node() {
                None => Ok(()),
                Some(setting) => refuse(format!(
                    "{setting} is for a node of several: it needs cluster-url beside it, such as \
                     redis://redis:6379"
                )),
            };
        };
        let missing = [
            (
                self.node_url.is_none(),
                "node-url, where clients reach this node, such as wss://play.example/n/1/ws",
            ),
            (
                self.peer_listen.is_none(),
                "peer-listen, where the other nodes reach this one, such as 10.0.0.1:7779",
            ),
            (
                self.cluster_key_file.is_none(),
                "cluster-key-file, a secret of 32 bytes or more that all nodes have",
            ),
        ];
        if let Some((_, what)) = missing.iter().find(|(is_missing, _)| *is_missing) {
            return refuse(format!("cluster-url needs {what}"));
        }
        let unspecified = self.peer_listen.filter(|at| at.ip().is_unspecified());
        if let (Some(at), None) = (unspecified, &self.peer_advertise) {
            return refuse(format!(
                "peer-listen {at} is no address that another node can dial: name one with \
                 peer-advertise, such as node-1.tickwire:{}",
                at.port()
            ));
        }
        if self.state_file.is_some() {
            return refuse(
                "state-file can't be beside cluster-url, as the cluster keeps the rooms: leave \
                 state-file out"
                    .to_owned(),
            );
        }
        if self.guest_key_file.is_some() {
            return refuse(
                "guest-key-file can't be beside cluster-url, as guests are known at all nodes by \
                 cluster-key-file: leave guest-key-file out"
                    .to_owned(),
            );
        }
        if self.cluster_ca_file.is_some() && !engine.tls {
            return refuse(format!(
                "cluster-ca-file is for an engine that is reached by TLS, which cluster-url \
                 {engine} is not: rediss:// would be"
            ));
        }
        check_region(&self.cluster_region)
    }

    /// A setting that only a node has, if one is given.
    fn of_a_node(&self) -> Option<&'static str> {
        let is_file = |file: &Option<PathBuf>| file.is_some();
        let given = [
            ("node-url", self.node_url.is_some()),
            ("peer-listen", self.peer_listen.is_some()),
            ("peer-advertise", self.peer_advertise.is_some()),
            ("cluster-key-file", is_file(&self.cluster_key_file)),
            ("cluster-region", self.cluster_region != REGION),
            ("cluster-ca-file", is_file(&self.cluster_ca_file)),
            ("detached-play", self.detached_play != DETACHED),
        ];
        let given = given.iter().find(|(_, is_given)| *is_given);
        given.map(|(setting, _)| *setting)
    }
}

/// A region's name is a part of keys, and of the patterns that the engine's user may have.
fn check_region(name: &str) -> Result<(), ConfigError> {
    let is_plain = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-');
    if name.is_empty() || name.len() > REGION_CHARS || !name.chars().all(is_plain) {
        let what = "1 to 32 small letters, digits and hyphens";
        return Err(ConfigError::new(format!(
            "cluster-region {name:?} is not {what}"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
