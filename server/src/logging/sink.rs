//! A queue of lines and the thread that writes them. Who logs never waits and never fails: a line
//! that finds no room, and one that the system does not take, is counted and gone. Bounded in
//! bytes, not in lines, which may be of any length. (`tracing-appender` bounds lines, counts no
//! failed writes, and prints on stdout when its reader stalls at the end, which stalls the end.)

use std::io::{self, ErrorKind, Write};
use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::lost::Lost;

/// Bytes of lines that wait: some 5,000. As many again may be with the thread that writes. Beyond:
/// dropped and counted.
const QUEUE_BYTES: usize = 1024 * 1024;
/// What of it important lines have for themselves.
const RESERVED_BYTES: usize = QUEUE_BYTES / 4;
/// Until a descriptor that does not block, as one inherited from Node may be, is tried again.
const RETRY: Duration = Duration::from_millis(50);

/// See the module's description. Its thread ends with it, once all is written.
pub(super) struct Sink {
    shared: Arc<Shared>,
    lost: &'static Lost,
}

struct Shared {
    queue: Mutex<Queue>,
    /// There is something to write, or it is over.
    filled: Condvar,
    /// All is written.
    drained: Condvar,
}

struct Queue {
    bytes: Vec<u8>,
    /// Whether the thread has taken what it did not write yet.
    is_writing: bool,
    is_over: bool,
}

impl Sink {
    /// Starts the thread that writes to `out`.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(super) fn start(
        name: &str,
        out: impl Write + Send + 'static,
        lost: &'static Lost,
    ) -> io::Result<Sink> {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue {
                // All of it at once, so that no line waits for more; untouched pages take no
                // memory.
                bytes: Vec::with_capacity(QUEUE_BYTES),
                is_writing: false,
                is_over: false,
            }),
            filled: Condvar::new(),
            drained: Condvar::new(),
        });
        let of_thread = shared.clone();
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || of_thread.write_to(out, lost))?;
        Ok(Sink { shared, lost })
    }

    /// Has a line written, with its line break; an important one also where there is no room for
    /// others.
    pub(super) fn push(&self, line: &[u8], is_important: bool) {
        let room = match is_important {
            true => QUEUE_BYTES,
            false => QUEUE_BYTES - RESERVED_BYTES,
        };
        let mut queue = self.shared.queue.lock();
        if queue.bytes.len() + line.len() > room {
            self.lost.queue.fetch_add(1, Ordering::Relaxed);
            return;
        }
        queue.bytes.extend_from_slice(line);
        drop(queue);
        self.shared.filled.notify_one();
    }

    /// Waits until all is written, so long at most. Whether it is.
    pub(super) fn flush(&self, at_most: Duration) -> bool {
        let by = Instant::now() + at_most;
        let mut queue = self.shared.queue.lock();
        while queue.is_writing || !queue.bytes.is_empty() {
            if self.shared.drained.wait_until(&mut queue, by).timed_out() {
                return false;
            }
        }
        true
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.shared.queue.lock().is_over = true;
        self.shared.filled.notify_one();
    }
}

impl Shared {
    fn write_to(&self, mut out: impl Write, lost: &Lost) {
        let mut batch = Vec::with_capacity(QUEUE_BYTES);
        let mut is_torn = false;
        loop {
            let mut queue = self.queue.lock();
            queue.is_writing = false;
            while queue.bytes.is_empty() {
                self.drained.notify_all();
                if queue.is_over {
                    return;
                }
                self.filled.wait(&mut queue);
            }
            mem::swap(&mut queue.bytes, &mut batch);
            queue.is_writing = true;
            drop(queue);
            let failed = write(&mut out, &batch, &mut is_torn);
            lost.write.fetch_add(failed, Ordering::Relaxed);
            batch.clear();
        }
    }
}

/// Writes lines, as many as the system takes; how many it did not take whole. `is_torn` says
/// whether the one before broke off in its middle: then a line break goes first, so that each line
/// stays one of its own.
fn write(out: &mut impl Write, lines: &[u8], is_torn: &mut bool) -> u64 {
    if *is_torn {
        *is_torn = !write_all(out, b"\n").is_empty();
    }
    let left = if *is_torn {
        lines
    } else {
        write_all(out, lines)
    };
    if left.len() < lines.len() {
        let last = lines[lines.len() - left.len() - 1];
        *is_torn = last != b'\n';
    }
    left.iter().filter(|&&byte| byte == b'\n').count() as u64
}

/// What the system did not take.
fn write_all<'a>(out: &mut impl Write, mut bytes: &'a [u8]) -> &'a [u8] {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => break,
            Ok(size) => bytes = &bytes[size..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(RETRY),
            Err(_) => break,
        }
    }
    // A line-buffered stdout keeps what has no end, or could not be written.
    let _ = out.flush();
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    const PATIENCE: Duration = Duration::from_secs(30);

    fn lost() -> &'static Lost {
        Box::leak(Box::new(Lost::none()))
    }

    fn figures(lost: &Lost) -> [u64; 2] {
        [&lost.queue, &lost.write].map(|figure| figure.load(Ordering::Relaxed))
    }

    /// A reader who takes nothing until told to.
    struct Stalled {
        called: SyncSender<()>,
        go_on: Receiver<()>,
        taken: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Stalled {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.called.try_send(());
            // Once its other end is gone it waits no more.
            let _ = self.go_on.recv();
            self.taken.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_stalls_holds_nobody_and_what_is_lost_is_counted() {
        let (called, is_called) = sync_channel(1);
        let (go, go_on) = sync_channel::<()>(1);
        let (taken, lost) = (Arc::new(Mutex::default()), lost());
        let out = Stalled {
            called,
            go_on,
            taken: taken.clone(),
        };
        let sink = Sink::start("test", out, lost).unwrap();
        sink.push(b"first\n", false);
        is_called.recv_timeout(PATIENCE).unwrap();
        let line = [b"x".repeat(1023), b"\n".to_vec()].concat();
        (0..1000).for_each(|_| sink.push(&line, false));
        let fit = (QUEUE_BYTES - RESERVED_BYTES) / line.len();
        assert_eq!(figures(lost), [1000 - fit as u64, 0]);
        sink.push(b"important\n", true);
        assert!(!sink.flush(Duration::ZERO));
        drop(go);
        assert!(sink.flush(PATIENCE));
        let taken = taken.lock();
        assert!(taken.starts_with(b"first\nxx") && taken.ends_with(b"x\nimportant\n"));
        assert_eq!(taken.len(), 6 + fit * line.len() + 10);
        assert_eq!(figures(lost)[0], 1000 - fit as u64);
    }

    /// A disk that is full after so many bytes, and may be made free again.
    struct Disk(Arc<Mutex<(usize, Vec<u8>)>>);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let (free, written) = &mut *self.0.lock();
            let size = bytes.len().min(*free);
            if size == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
            *free -= size;
            written.extend_from_slice(&bytes[..size]);
            Ok(size)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_ends_nothing_and_no_line_is_glued_to_a_torn_one() {
        let (disk, lost) = (Arc::new(Mutex::new((8, Vec::new()))), lost());
        let sink = Sink::start("test", Disk(disk.clone()), lost).unwrap();
        for line in ["one\n", "two and more\n", "three\n"] {
            sink.push(line.as_bytes(), false);
            assert!(sink.flush(PATIENCE));
        }
        assert_eq!(figures(lost), [0, 2]);
        disk.lock().0 = 1000;
        sink.push(b"four\n", false);
        assert!(sink.flush(PATIENCE));
        assert_eq!(disk.lock().1, b"one\ntwo \nfour\n");
        assert_eq!(figures(lost), [0, 2]);
    }

    #[test]
    fn a_descriptor_that_does_not_block_is_tried_again() {
        struct Shy(bool, Arc<Mutex<Vec<u8>>>);
        impl Write for Shy {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 = !self.0;
                if self.0 {
                    return Err(ErrorKind::WouldBlock.into());
                }
                self.1.lock().push(bytes[0]);
                Ok(1)
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (taken, lost) = (Arc::new(Mutex::default()), lost());
        let sink = Sink::start("test", Shy(false, taken.clone()), lost).unwrap();
        sink.push(b"abc\n", false);
        assert!(sink.flush(PATIENCE));
        assert_eq!(*taken.lock(), b"abc\n");
        assert_eq!(figures(lost), [0, 0]);
    }
}
