//! What a page of the site may do, as its browser is told with every response: nothing but run its
//! own files and talk to its own host, and to servers that the operator named. Peers' text that
//! slipped into the page as markup would still not run, nor send anything away.
//!
//! `public` has one; what other responses carry is [`STRICTEST`].

use hyper::header::HeaderValue;

use crate::config::{Authority, ConnectOrigin};

const POLICY: &str = "default-src 'self'; connect-src 'self'; img-src 'self' data:; style-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// For what is no page's.
pub(super) const STRICTEST: HeaderValue = HeaderValue::from_static(POLICY);

/// See the module's description.
pub(super) struct Policy {
    /// Servers besides the page's own, each with a space before it.
    servers: String,
}

impl Policy {
    /// Of pages that may connect to `servers` too.
    pub(super) fn new(servers: &[ConnectOrigin]) -> Policy {
        let servers = servers.iter().map(ConnectOrigin::in_policy).collect();
        Policy { servers }
    }

    /// For a page that was asked for at `host`: its sockets are named, which not every browser
    /// takes for `'self'` (Safari). It can't be known whether a proxy speaks TLS.
    pub(super) fn at(&self, host: Option<&Authority>) -> HeaderValue {
        let own = match host {
            None => String::new(),
            // Their addresses can't be written there.
            Some(host) if host.is_ipv6() => " ws: wss:".to_owned(),
            Some(host) => format!(" ws://{host} wss://{host}"),
        };
        let sockets = format!("connect-src 'self'{own}{}", self.servers);
        let policy = POLICY.replacen("connect-src 'self'", &sockets, 1);
        // Neither has a character that would mean something in a header.
        HeaderValue::from_str(&policy).unwrap_or(STRICTEST)
    }
}
