//! Steps: the names of messages and random draws.

use std::fmt;

/// One segment of a step path: a name, or a name with a number in loops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    name: &'static str,
    number: Option<u64>,
}

impl From<&'static str> for Label {
    fn from(name: &'static str) -> Self {
        Label { name, number: None }
    }
}

impl From<(&'static str, usize)> for Label {
    fn from((name, number): (&'static str, usize)) -> Self {
        Label { name, number: Some(number as u64) }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) => write!(f, "{}{number}", self.name),
            None => f.write_str(self.name),
        }
    }
}

/// Where in the protocol a message or an error belongs: `join/sort/level3/lt`.
///
/// Equal at all parties, since it follows from the plan. On the wire it is its
/// 128-bit hash and a chunk number.
#[derive(Clone, PartialEq, Eq)]
pub struct Step {
    labels: Vec<Label>,
    hash: u128,
    chunk: u32,
}

impl Step {
    pub(crate) fn root(session_id: &[u8; 32]) -> Self {
        Step {
            labels: Vec::new(),
            hash: short_hash(blake3::derive_key("junto 2026 step root v1", session_id)),
            chunk: 0,
        }
    }

    /// The step below this one.
    pub(crate) fn child(&self, label: Label) -> Self {
        let mut labels = self.labels.clone();
        labels.push(label);
        Step { labels, hash: child_hash(self.hash, label), chunk: self.chunk }
    }

    /// The step of one chunk of this one. A chunk inside a chunk moves the outer number into the path.
    pub(crate) fn in_chunk(&self, chunk: u32) -> Self {
        let mut step = self.clone();
        if self.chunk != 0 {
            step = step.child(Label { name: "chunk", number: Some(u64::from(self.chunk)) });
        }
        step.chunk = chunk + 1;
        step
    }

    /// What names this step's message number `part` on the wire.
    pub(crate) fn tag(&self, part: u8) -> net::Tag {
        net::Tag { step: self.hash ^ u128::from(part), chunk: self.chunk }
    }

    /// What names this step's random draws: never equal for two steps.
    pub(crate) fn key_bytes(&self) -> [u8; 20] {
        let mut bytes = [0; 20];
        bytes[..16].copy_from_slice(&self.hash.to_le_bytes());
        bytes[16..].copy_from_slice(&self.chunk.to_le_bytes());
        bytes
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.labels.is_empty() {
            return f.write_str("session");
        }
        for (at, label) in self.labels.iter().enumerate() {
            write!(f, "{}{label}", if at == 0 { "" } else { "/" })?;
        }
        match self.chunk {
            0 => Ok(()),
            chunk => write!(f, "#{}", chunk - 1),
        }
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Step({self})")
    }
}

fn child_hash(parent: u128, label: Label) -> u128 {
    let mut hasher = blake3::Hasher::new_derive_key("junto 2026 step v1");
    hasher.update(&parent.to_le_bytes());
    hasher.update(&(label.name.len() as u64).to_le_bytes());
    hasher.update(label.name.as_bytes());
    hasher.update(&label.number.map_or([0; 9], |number| {
        let mut bytes = [1; 9];
        bytes[1..].copy_from_slice(&number.to_le_bytes());
        bytes
    }));
    short_hash(*hasher.finalize().as_bytes())
}

/// The first 120 bits, shifted up: the low byte tells the messages of one step apart.
fn short_hash(hash: [u8; 32]) -> u128 {
    let word: [u8; 16] = hash[..16].try_into().expect("16 of 32 bytes");
    u128::from_le_bytes(word) << 8
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn different_paths_have_different_names() {
        let root = Step::root(&[7; 32]);
        let mut seen = BTreeSet::new();
        for step in
            [root.clone(), root.child("b".into()), root.child(("a", 1).into()), root.child(("a", 11).into())]
        {
            for step in [
                step.clone(),
                step.child("a".into()),
                step.in_chunk(0),
                step.in_chunk(1),
                step.in_chunk(0).in_chunk(1),
            ] {
                assert!(seen.insert(step.key_bytes()), "{step} repeats");
                assert_eq!(step.tag(3).step ^ 3, step.tag(0).step);
            }
        }
        assert_ne!(Step::root(&[8; 32]).key_bytes(), root.key_bytes());
    }

    #[test]
    fn a_step_prints_its_path() {
        let step = Step::root(&[0; 32]).child("sort".into()).child(("level", 3).into()).in_chunk(4);
        assert_eq!(step.to_string(), "sort/level3#4");
    }
}
