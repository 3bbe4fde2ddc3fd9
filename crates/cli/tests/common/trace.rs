//! A small `strace`: every file that a program and its children open, and every
//! byte that they write to sockets, by process.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

/// What the processes did.
#[derive(Default)]
pub struct Trace {
    /// Process and path, for each open: the file's real path where it succeeded, and the
    /// path as asked for in any case.
    pub opened: BTreeSet<(i32, String)>,
    /// What went into each socket, by process and socket.
    pub sent: BTreeMap<(i32, u64), Vec<u8>>,
    /// Calls that write to sockets in ways that are not followed.
    pub unfollowed: Vec<i64>,
    /// Which descriptors are sockets now; each socket has a number of its own.
    sockets: BTreeMap<(i32, u64), u64>,
    n_sockets: u64,
    /// The call that each thread is in.
    inside: BTreeMap<i32, (i64, [u64; 6])>,
}

/// Runs a program to its end under the tracer. Call it from a process whose
/// only children are the tracer's.
pub fn run(mut command: Command) -> io::Result<(Child, Trace)> {
    let trace_me = || match unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    };
    // SAFETY: the closure makes one system call, which is safe after a fork.
    unsafe { command.pre_exec(trace_me) };
    let child = command.spawn()?;
    let root = child.id() as i32;
    wait(root)?;
    let options = libc::PTRACE_O_TRACESYSGOOD
        | libc::PTRACE_O_TRACEFORK
        | libc::PTRACE_O_TRACEVFORK
        | libc::PTRACE_O_TRACECLONE
        | libc::PTRACE_O_TRACEEXEC
        | libc::PTRACE_O_EXITKILL;
    ask(libc::PTRACE_SETOPTIONS, root, 0, options as usize)?;
    ask(libc::PTRACE_SYSCALL, root, 0, 0)?;
    let mut trace = Trace::default();
    loop {
        let (thread, status) = wait(-1)?;
        if !libc::WIFSTOPPED(status) {
            trace.inside.remove(&thread);
            if thread == root {
                return Ok((child, trace));
            }
            continue;
        }
        let mut signal = libc::WSTOPSIG(status);
        if signal == libc::SIGTRAP | 0x80 {
            // A thread that was killed meanwhile has nothing more to tell.
            let _ = trace.system_call(thread);
            signal = 0;
        } else if status >> 16 != 0 || signal == libc::SIGSTOP || signal == libc::SIGTRAP {
            signal = 0;
        }
        let _ = ask(libc::PTRACE_SYSCALL, thread, 0, signal as usize);
    }
}

fn wait(thread: i32) -> io::Result<(i32, i32)> {
    let mut status = 0;
    // SAFETY: the call writes one number, to a pointer to one.
    match unsafe { libc::waitpid(thread, &mut status, libc::__WALL) } {
        -1 => Err(io::Error::last_os_error()),
        thread => Ok((thread, status)),
    }
}

fn ask(request: libc::c_uint, thread: i32, address: usize, data: usize) -> io::Result<i64> {
    // SAFETY: the requests used here write to no memory of ours but what `data` points to.
    match unsafe { libc::ptrace(request, thread, address, data) } {
        -1 => Err(io::Error::last_os_error()),
        result => Ok(result),
    }
}

impl Trace {
    fn system_call(&mut self, thread: i32) -> io::Result<()> {
        let mut info = std::mem::MaybeUninit::<libc::ptrace_syscall_info>::zeroed();
        let size = size_of::<libc::ptrace_syscall_info>();
        ask(libc::PTRACE_GET_SYSCALL_INFO, thread, size, info.as_mut_ptr() as usize)?;
        // SAFETY: it is plain numbers, zero where the system wrote nothing.
        let info = unsafe { info.assume_init() };
        match info.op {
            libc::PTRACE_SYSCALL_INFO_ENTRY => {
                // SAFETY: `op` says which of the union's parts was written.
                let entry = unsafe { info.u.entry };
                self.inside.insert(thread, (entry.nr as i64, entry.args));
                if let Some(path) = path_argument(entry.nr as i64, &entry.args) {
                    self.opened.insert((process_of(thread)?, text_at(thread, path)?));
                }
                Ok(())
            }
            libc::PTRACE_SYSCALL_INFO_EXIT => {
                // SAFETY: as above.
                let result = unsafe { info.u.exit.sval };
                match self.inside.remove(&thread) {
                    Some((call, arguments)) if result >= 0 => {
                        self.done(thread, call, &arguments, result as u64)
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn done(&mut self, thread: i32, call: i64, arguments: &[u64; 6], result: u64) -> io::Result<()> {
        let process = process_of(thread)?;
        match call {
            libc::SYS_socket | libc::SYS_accept | libc::SYS_accept4 => {
                self.n_sockets += 1;
                self.sockets.insert((process, result), self.n_sockets);
            }
            libc::SYS_dup | libc::SYS_fcntl => {
                let copies = [libc::F_DUPFD as u64, libc::F_DUPFD_CLOEXEC as u64];
                if let (Some(socket), true) = (
                    self.sockets.get(&(process, arguments[0])).copied(),
                    call == libc::SYS_dup || copies.contains(&arguments[1]),
                ) {
                    self.sockets.insert((process, result), socket);
                }
            }
            call if path_argument(call, arguments).is_some() => {
                let path = std::fs::read_link(format!("/proc/{thread}/fd/{result}"))?;
                self.opened.insert((process, path.display().to_string()));
            }
            libc::SYS_close => drop(self.sockets.remove(&(process, arguments[0]))),
            libc::SYS_write | libc::SYS_sendto => {
                if let Some(socket) = self.sockets.get(&(process, arguments[0])).copied() {
                    let mut bytes = vec![0; result as usize];
                    memory(thread)?.read_exact_at(&mut bytes, arguments[1])?;
                    self.sent.entry((process, socket)).or_default().extend(bytes);
                }
            }
            libc::SYS_writev
            | libc::SYS_sendmsg
            | libc::SYS_sendmmsg
            | libc::SYS_sendfile
            | libc::SYS_splice
                if self.sockets.contains_key(&(process, arguments[0])) =>
            {
                self.unfollowed.push(call);
            }
            _ => {}
        }
        Ok(())
    }
}

fn path_argument(call: i64, arguments: &[u64; 6]) -> Option<u64> {
    match call {
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open | libc::SYS_creat => Some(arguments[0]),
        libc::SYS_openat | libc::SYS_openat2 => Some(arguments[1]),
        _ => None,
    }
}

fn memory(thread: i32) -> io::Result<File> {
    File::open(format!("/proc/{thread}/mem"))
}

fn text_at(thread: i32, address: u64) -> io::Result<String> {
    let memory = memory(thread)?;
    let mut text = Vec::new();
    let mut byte = [0];
    while text.len() < 4096 {
        memory.read_exact_at(&mut byte, address + text.len() as u64)?;
        if byte[0] == 0 {
            break;
        }
        text.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The process that a thread belongs to.
fn process_of(thread: i32) -> io::Result<i32> {
    let status = std::fs::read_to_string(format!("/proc/{thread}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("Tgid:"));
    line.and_then(|id| id.trim().parse().ok()).ok_or_else(|| io::Error::other("a thread of no process"))
}
