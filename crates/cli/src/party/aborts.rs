//! Runs that stopped after shares had left, and the pause before the next one.
//!
//! An abort that a cheater chooses is a bit that it may have learnt. So a party counts them, in a
//! file beside its key, and each makes it wait longer before it takes part again. A quiet day
//! takes half of the count away.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::kept;

/// The longest pause: shorter than what peers wait for each other by default.
const LONGEST_S: u64 = 300;

/// How long it takes to forget half of the aborts.
const HALF_LIFE_S: u64 = 24 * 60 * 60;

/// A party's aborted runs.
pub(super) struct Aborts {
    file: PathBuf,
    count: u32,
    last_s: u64,
}

impl Aborts {
    /// Those of the party with this key file.
    ///
    /// # Errors
    /// A sentence that names the file, if it is there and cannot be understood: nobody forgets by
    /// accident.
    pub(super) fn beside(key: &Path) -> Result<Aborts, String> {
        let file = key.with_extension("aborts");
        let fault = |what: String| format!("{}: {what}", file.display());
        let text = kept::read(&file).map_err(|error| fault(format!("cannot be read: {error}")))?;
        let Some(text) = text else { return Ok(Aborts { file, count: 0, last_s: 0 }) };
        let mut words = text.split_whitespace();
        let (count, last) = (words.next().map(str::parse), words.next().map(str::parse));
        let (Some(Ok(count)), Some(Ok(last_s)), None) = (count, last, words.next()) else {
            return Err(fault("is not a number of aborted runs and the time of the last one".to_owned()));
        };
        Ok(Aborts { file, count, last_s })
    }

    /// Aborts that count at this time.
    pub(super) fn count(&self, now: SystemTime) -> u32 {
        let days = seconds(now).saturating_sub(self.last_s) / HALF_LIFE_S;
        self.count.checked_shr(u32::try_from(days).unwrap_or(u32::MAX)).unwrap_or(0)
    }

    /// How long to wait before the next run: two seconds after one abort, twice as long after each
    /// further one, up to five minutes, from the last one on.
    pub(super) fn pause(&self, now: SystemTime) -> Duration {
        let whole = match self.count(now) {
            0 => 0,
            n => 1u64.checked_shl(n).unwrap_or(LONGEST_S).min(LONGEST_S),
        };
        // A clock that was set back does not make the pause longer than it ever was.
        let gone = seconds(now).saturating_sub(self.last_s);
        Duration::from_secs(whole.saturating_sub(gone))
    }

    /// Counts one more, before anybody hears of it.
    ///
    /// # Errors
    /// A sentence that names the file, if it cannot be written.
    pub(super) fn record(&mut self, now: SystemTime) -> Result<(), String> {
        (self.count, self.last_s) = (self.count(now).saturating_add(1), seconds(now));
        kept::replace(&self.file, format!("{} {}\n", self.count, self.last_s).as_bytes())
            .map_err(|error| format!("{}: cannot be written: {error}", self.file.display()))
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_000_000_000 + seconds)
    }

    fn key(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("junto-aborts-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a directory of its own");
        dir.join("party.key")
    }

    #[test]
    fn each_abort_makes_the_next_run_wait_longer() {
        let key = key("longer");
        let pauses: Vec<u64> = (0..10)
            .map(|n| {
                let mut aborts = Aborts::beside(&key).expect("what was written is read");
                assert_eq!(aborts.count(at(n)), n as u32);
                aborts.record(at(n)).expect("it is written");
                aborts.pause(at(n)).as_secs()
            })
            .collect();
        assert_eq!(pauses, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        let aborts = Aborts::beside(&key).expect("what was written is read");
        assert_eq!(aborts.pause(at(9 + 100)).as_secs(), 200, "time counts from the last one on");
        assert_eq!(aborts.pause(at(9 + 300)), Duration::ZERO);
        assert_eq!(aborts.pause(at(0)).as_secs(), 300, "with a clock that was set back");
        assert_eq!(aborts.count(at(9 + HALF_LIFE_S)), 5);
        assert_eq!(aborts.count(at(9 + 5 * HALF_LIFE_S)), 0);
        assert_eq!(aborts.count(at(9 + 500 * HALF_LIFE_S)), 0);
    }

    #[test]
    fn a_file_that_says_something_else_is_no_clean_record() {
        let key = key("else");
        assert_eq!(Aborts::beside(&key).expect("nothing yet").pause(at(0)), Duration::ZERO);
        for text in ["", "3", "many 5", "1 2 3"] {
            std::fs::write(key.with_extension("aborts"), text).expect("it is written");
            assert!(Aborts::beside(&key).is_err(), "{text:?}");
        }
    }
}
