//! One request of HTTP/1.1 and the head of its answer, on a connection of its own: to the URL of the
//! settings and nowhere else. A redirect is an answer like any other. Of the answer's body nothing is
//! read. In a runtime's context.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::config::WebhookUrl;

/// For all of it: Standard Webhooks has receivers answer within 15 to 30 s.
const WITHIN: Duration = Duration::from_secs(15);
/// Bytes of an answer's head, and the lines of it. Beyond: it is none.
const HEAD_BYTES_MAX: usize = 16 * 1024;
const HEAD_LINES_MAX: usize = 64;

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Of `Retry-After`, where it is a number.
    pub(super) retry_after_s: Option<u64>,
}

/// Who sends there.
pub(super) struct Client {
    url: WebhookUrl,
    /// Where the URL is of `https`.
    tls: Option<Arc<ClientConfig>>,
}

impl Client {
    pub(super) fn new(url: WebhookUrl, tls: Option<Arc<ClientConfig>>) -> Client {
        Client { url, tls }
    }

    /// Sends a body of JSON with further header lines, each with its line break.
    ///
    /// # Errors
    /// There was no answer, or none of HTTP, or not in time.
    pub(super) async fn post(&self, lines: &str, body: &str) -> io::Result<Answer> {
        let sent = async {
            let (name, port) = (self.url.host.name.as_str(), self.url.host.port);
            let stream = TcpStream::connect((name, port)).await?;
            stream.set_nodelay(true)?;
            match &self.tls {
                None => self.ask(stream, lines, body).await,
                Some(tls) => {
                    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
                    let stream = TlsConnector::from(tls.clone())
                        .connect(name, stream)
                        .await?;
                    self.ask(stream, lines, body).await
                }
            }
        };
        timeout(WITHIN, sent)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    async fn ask(
        &self,
        mut stream: impl AsyncRead + AsyncWrite + Unpin,
        lines: &str,
        body: &str,
    ) -> io::Result<Answer> {
        let (target, host, length) = (&self.url.target, &self.url.authority, body.len());
        let request = format!(
            "POST {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\
             User-Agent: tickwire/{}\r\n{lines}\r\n{body}",
            env!("CARGO_PKG_VERSION")
        );
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
        let mut head = Vec::new();
        loop {
            if let Some(answer) = read(&head)? {
                return Ok(answer);
            }
            let room = HEAD_BYTES_MAX - head.len();
            if room == 0 || (&mut stream).take(room as u64).read_buf(&mut head).await? == 0 {
                return Err(none());
            }
        }
    }
}

/// The answer that begins so; `None`: there is more to come.
fn read(mut bytes: &[u8]) -> io::Result<Option<Answer>> {
    loop {
        let mut lines = [httparse::EMPTY_HEADER; HEAD_LINES_MAX];
        let mut head = httparse::Response::new(&mut lines);
        let parsed = head.parse(bytes).map_err(|_| none())?;
        let httparse::Status::Complete(length) = parsed else {
            return Ok(None);
        };
        let status = head.code.ok_or_else(none)?;
        // Something before the answer.
        if (100..200).contains(&status) {
            bytes = &bytes[length..];
            continue;
        }
        let mut lines = head.headers.iter();
        let after = lines.find(|line| line.name.eq_ignore_ascii_case("retry-after"));
        let after = after.and_then(|line| std::str::from_utf8(line.value).ok());
        return Ok(Some(Answer {
            status,
            retry_after_s: after.and_then(|text| text.trim().parse().ok()),
        }));
    }
}

fn none() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "no answer of HTTP")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_its_status_and_when_to_come_again() {
        let check = |text: &str, status: u16, retry_after_s: Option<u64>| {
            let answer = Answer {
                status,
                retry_after_s,
            };
            assert_eq!(read(text.as_bytes()).unwrap(), Some(answer), "{text}");
            for end in 0..text.len() {
                assert!(
                    matches!(read(&text.as_bytes()[..end]), Ok(None)),
                    "{text:.end$}"
                );
            }
        };
        check("HTTP/1.1 204 No Content\r\n\r\n", 204, None);
        check("HTTP/1.0 429\r\nRETRY-AFTER: 7\r\n\r\n", 429, Some(7));
        let date = "HTTP/1.1 503 x\r\nretry-after: Fri, 31 Dec 1999 23:59:59 GMT\r\n\r\n";
        check(date, 503, None);
        check(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
            200,
            None,
        );
    }

    #[test]
    fn what_is_none_is_an_error() {
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(65));
        for text in ["SSH-2.0\r\n\r\n", "HTTP/2.0 200\r\n\r\n", &many] {
            assert!(read(text.as_bytes()).is_err(), "{text:.20}");
        }
    }
}
