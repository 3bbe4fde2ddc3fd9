//! The `--link` option.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use net::LinkProfile;

/// A link as people name it: `loopback`, `lan`, or `wan:RTT_MS,MBIT_PER_S`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The link as it is.
    Loopback,
    /// Round trips of 0.5 ms at 10 Gbit/s.
    Lan,
    /// A long link.
    Wan {
        /// Round trip in milliseconds.
        round_trip_ms: u64,
        /// Bandwidth each way in Mbit/s.
        mbit_per_second: u64,
    },
}

impl Link {
    /// What is simulated on top of the real link.
    pub fn profile(self) -> LinkProfile {
        match self {
            Link::Loopback => LinkProfile::INSTANT,
            Link::Lan => LinkProfile {
                delay: Duration::from_micros(250),
                jitter: Duration::ZERO,
                bits_per_second: Some(10_000_000_000),
            },
            Link::Wan { round_trip_ms, mbit_per_second } => LinkProfile::wan(round_trip_ms, mbit_per_second),
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Link::Loopback => f.write_str("loopback"),
            Link::Lan => f.write_str("lan"),
            Link::Wan { round_trip_ms, mbit_per_second } => {
                write!(f, "wan:{round_trip_ms},{mbit_per_second}")
            }
        }
    }
}

impl FromStr for Link {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("{text:?} is no link: write loopback, lan, or wan:RTT_MS,MBIT_PER_S such as wan:150,100")
        };
        match text {
            "loopback" => Ok(Link::Loopback),
            "lan" => Ok(Link::Lan),
            _ => {
                let (round_trip, bandwidth) =
                    text.strip_prefix("wan:").and_then(|rest| rest.split_once(',')).ok_or_else(wrong)?;
                let round_trip_ms = round_trip.trim().parse().map_err(|_| wrong())?;
                let mbit_per_second = bandwidth.trim().parse().map_err(|_| wrong())?;
                if mbit_per_second == 0 || round_trip_ms > 60_000 {
                    return Err(wrong());
                }
                Ok(Link::Wan { round_trip_ms, mbit_per_second })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_written_as_they_are_read() {
        for text in ["loopback", "lan", "wan:150,100"] {
            assert_eq!(text.parse::<Link>().map(|link| link.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "wan", "wan:", "wan:1", "wan:a,b", "wan:1,0", "wan:999999,1", "LAN"] {
            assert!(text.parse::<Link>().is_err(), "{text}");
        }
    }
}
