//! One request of HTTP/1.1 and the head of its answer, on a connection of its own: to the URL of the
//! settings and nowhere else. A redirect is an answer like any other. Of the answer's body nothing is
//! read. In a runtime's context.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::config::WebhookUrl;

/// For all of it: Standard Webhooks has receivers answer within 15 to 30 s.
const WITHIN: Duration = Duration::from_secs(15);
/// Bytes of an answer's head. Beyond: it is none.
const HEAD_BYTES_MAX: usize = 16 * 1024;
const AGENT: &str = concat!("tickwire/", env!("CARGO_PKG_VERSION"));

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

    /// Sends a body of JSON with further headers.
    ///
    /// # Errors
    /// There was no answer, or none of HTTP, or not in time.
    pub(super) async fn post(
        &self,
        headers: &[(&'static str, String)],
        body: String,
    ) -> io::Result<Answer> {
        let request = self.request(headers, body)?;
        let sent = async {
            let (name, port) = (self.url.host.name.as_str(), self.url.host.port);
            let stream = TcpStream::connect((name, port)).await?;
            stream.set_nodelay(true)?;
            match &self.tls {
                None => ask(stream, request).await,
                Some(tls) => {
                    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
                    let stream = TlsConnector::from(tls.clone())
                        .connect(name, stream)
                        .await?;
                    ask(stream, request).await
                }
            }
        };
        timeout(WITHIN, sent)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    fn request(
        &self,
        headers: &[(&'static str, String)],
        body: String,
    ) -> io::Result<Request<Full<Bytes>>> {
        let mut request = Request::post(self.url.target.as_str())
            .header(HOST, &*self.url.authority)
            .header(CONNECTION, "close")
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, AGENT);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        request.body(body.into()).map_err(io::Error::other)
    }
}

async fn ask(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    request: Request<Full<Bytes>>,
) -> io::Result<Answer> {
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    // Its end is the answer's, or the request's that has none.
    let driven = async {
        let _ = connection.await;
        pending().await
    };
    tokio::select! {
        answer = sender.send_request(request) => answer.map(read).map_err(io::Error::other),
        never = driven => never,
    }
}

fn read<T>(answer: Response<T>) -> Answer {
    let after = answer.headers().get(RETRY_AFTER);
    let after = after.and_then(|after| after.to_str().ok());
    Answer {
        status: answer.status().as_u16(),
        retry_after_s: after.and_then(|text| text.trim().parse().ok()),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    /// What comes of an answer, whose sender then ends.
    fn answered(text: &str) -> io::Result<Answer> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(async {
            let (near, mut far) = duplex(HEAD_BYTES_MAX);
            let url = "http://hook.example/in?a=b".parse().unwrap();
            let headers = [("webhook-id", "msg_1".to_owned())];
            let request = Client::new(url, None).request(&headers, "{}".to_owned());
            let other = async {
                let mut asked = Vec::new();
                while !asked.ends_with(b"{}") {
                    far.read_buf(&mut asked).await.unwrap();
                }
                // Who has read enough of it is gone.
                let _ = far.write_all(text.as_bytes()).await;
                drop(far);
                String::from_utf8(asked).unwrap()
            };
            let (answer, asked) = tokio::join!(ask(near, request.unwrap()), other);
            assert!(asked.starts_with("POST /in?a=b HTTP/1.1\r\n"), "{asked}");
            for line in [
                "host: hook.example",
                "connection: close",
                "content-length: 2",
                "webhook-id: msg_1",
            ] {
                assert!(asked.contains(&format!("\r\n{line}\r\n")), "{asked}");
            }
            answer
        })
    }

    #[test]
    fn an_answer_is_its_status_and_when_to_come_again() {
        let check = |text: &str, status: u16, retry_after_s: Option<u64>| {
            let answer = Answer {
                status,
                retry_after_s,
            };
            assert_eq!(answered(text).unwrap(), answer, "{text}");
        };
        check("HTTP/1.1 204 No Content\r\n\r\n", 204, None);
        check("HTTP/1.0 429 x\r\nRETRY-AFTER: 7\r\n\r\n", 429, Some(7));
        let date = "HTTP/1.1 503 x\r\nretry-after: Fri, 31 Dec 1999 23:59:59 GMT\r\n\r\n";
        check(date, 503, None);
        check(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
            200,
            None,
        );
        check("HTTP/1.1 302 Found\r\nlocation: /b\r\n\r\n", 302, None);
    }

    #[test]
    fn what_is_none_is_an_error() {
        let long = format!("HTTP/1.1 200 OK\r\na: {}", "b".repeat(HEAD_BYTES_MAX));
        for text in ["", "SSH-2.0\r\n\r\n", "HTTP/1.1 200 OK\r\na: b", &long] {
            assert!(answered(text).is_err(), "{text:.20}");
        }
    }
}
