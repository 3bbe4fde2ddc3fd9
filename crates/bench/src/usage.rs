//! What the operating system says this process used.

/// Processor time and peak memory of this process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// User and system time of all threads, in seconds.
    pub(crate) cpu_s: f64,
    /// The largest resident size so far, in MiB.
    pub(crate) peak_rss_mib: f64,
}

impl Usage {
    pub(crate) fn now() -> Self {
        let mut raw = std::mem::MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: the call writes a `rusage` to a pointer to one, which zeros are valid for too.
        let raw = unsafe {
            libc::getrusage(libc::RUSAGE_SELF, raw.as_mut_ptr());
            raw.assume_init()
        };
        let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 * 1e-6;
        Usage {
            cpu_s: seconds(raw.ru_utime) + seconds(raw.ru_stime),
            peak_rss_mib: raw.ru_maxrss as f64 / 1024.0,
        }
    }
}
