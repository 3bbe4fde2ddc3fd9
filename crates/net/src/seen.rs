//! Which tags one peer has used: all of them, in little memory.

use std::collections::HashMap;
use std::ops::Range;

use crate::Tag;

/// A set of tags. Chunks of a step mostly come as one run, which costs one entry.
#[derive(Default)]
pub(crate) struct SeenTags {
    steps: HashMap<u128, Chunks>,
}

enum Chunks {
    Run(Range<u64>),
    // Sorted, apart from one another.
    Runs(Vec<Range<u64>>),
}

impl SeenTags {
    /// Adds `tag`; false if it was there.
    pub(crate) fn insert(&mut self, tag: Tag) -> bool {
        let chunk = u64::from(tag.chunk);
        let Some(chunks) = self.steps.get_mut(&tag.step) else {
            self.steps.insert(tag.step, Chunks::Run(chunk..chunk + 1));
            return true;
        };
        match chunks {
            Chunks::Run(run) if run.contains(&chunk) => false,
            Chunks::Run(run) if run.end == chunk => {
                run.end += 1;
                true
            }
            Chunks::Run(run) => {
                let mut runs = vec![run.clone()];
                add(&mut runs, chunk);
                *chunks = Chunks::Runs(runs);
                true
            }
            Chunks::Runs(runs) => {
                let fresh = add(runs, chunk);
                if let [run] = &runs[..] {
                    *chunks = Chunks::Run(run.clone());
                }
                fresh
            }
        }
    }

    /// Whether `tag` is there.
    pub(crate) fn contains(&self, tag: Tag) -> bool {
        let chunk = u64::from(tag.chunk);
        match self.steps.get(&tag.step) {
            None => false,
            Some(Chunks::Run(run)) => run.contains(&chunk),
            Some(Chunks::Runs(runs)) => runs.iter().any(|run| run.contains(&chunk)),
        }
    }
}

/// Adds `chunk` to the sorted `runs`, joining neighbours; false if it was there.
fn add(runs: &mut Vec<Range<u64>>, chunk: u64) -> bool {
    // The first run that ends at or after the chunk.
    let at = runs.partition_point(|run| run.end < chunk);
    match runs.get_mut(at) {
        Some(run) if run.contains(&chunk) => return false,
        Some(run) if run.end == chunk => run.end += 1,
        Some(run) if run.start == chunk + 1 => run.start -= 1,
        _ => runs.insert(at, chunk..chunk + 1),
    }
    if at + 1 < runs.len() && runs[at].end == runs[at + 1].start {
        runs[at].end = runs[at + 1].end;
        runs.remove(at + 1);
    }
    true
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn agrees_with_a_plain_set_whatever_the_order() {
        // Multiplying by an odd number walks all chunks in a scattered order.
        for stride in [1u32, 3, 5, 77, 255] {
            let (mut seen, mut plain) = (SeenTags::default(), BTreeSet::new());
            for k in 0..600u32 {
                let tag = Tag { step: 9, chunk: k.wrapping_mul(stride) % 256 };
                assert_eq!(seen.contains(tag), plain.contains(&tag));
                assert_eq!(seen.insert(tag), plain.insert(tag), "{stride} {k}");
                assert!(seen.contains(tag));
            }
            assert!(matches!(seen.steps[&9], Chunks::Run(Range { start: 0, end: 256 })));
            assert!(!seen.contains(Tag { step: 8, chunk: 0 }));
        }
        assert!(SeenTags::default().insert(Tag { step: 0, chunk: u32::MAX }));
    }
}
