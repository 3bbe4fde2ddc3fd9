//! The sockets in a handshake while the parties find one another. They are hung up when that is over,
//! so that nobody waits for somebody who says nothing.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Strangers that may be in a handshake at once; a further one drives out the one that has been
/// there longest, since peers need no time at the door.
const MAX_STRANGERS: usize = 64;

/// Who opened a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// This party, to a listed address.
    Dialled,
    /// Anybody who reaches the port.
    Stranger,
}

struct InHandshake {
    number: usize,
    socket: TcpStream,
    who: Who,
}

/// All of them, from the one that has been there longest.
#[derive(Default)]
pub(super) struct Handshakes {
    sockets: Mutex<Vec<InHandshake>>,
    n_sockets: AtomicUsize,
}

impl Handshakes {
    /// Makes a socket ready for a handshake, and gives it a number.
    ///
    /// # Errors
    /// The socket's, and that it is over, after which none is taken.
    pub(super) fn enter(
        &self,
        socket: &TcpStream,
        deadline: Instant,
        who: Who,
        is_over: &AtomicBool,
    ) -> io::Result<usize> {
        socket.set_nodelay(true)?;
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        socket.set_write_timeout(Some(left))?;
        let number = self.n_sockets.fetch_add(1, Ordering::AcqRel);
        let mut sockets = self.sockets();
        if is_over.load(Ordering::Acquire) {
            return Err(io::Error::other("the meeting is over"));
        }
        let strangers = || sockets.iter().enumerate().filter(|(_, other)| other.who == Who::Stranger);
        if who == Who::Stranger && strangers().count() >= MAX_STRANGERS {
            let longest = strangers().map(|(at, _)| at).next().expect("there are many");
            drop(sockets.remove(longest).socket.shutdown(Shutdown::Both));
        }
        sockets.push(InHandshake { number, socket: socket.try_clone()?, who });
        Ok(number)
    }

    /// The handshake of this socket has ended, well or badly.
    pub(super) fn leave(&self, number: usize) {
        self.sockets().retain(|other| other.number != number);
    }

    /// Ends all of them.
    pub(super) fn hang_up(&self) {
        self.sockets().iter().for_each(|other| drop(other.socket.shutdown(Shutdown::Both)));
    }

    fn sockets(&self) -> MutexGuard<'_, Vec<InHandshake>> {
        self.sockets.lock().expect("nothing panics while it holds this lock")
    }
}
