//! Independent computations side by side, however many.

use mpc::{Label, ProtocolError, Session};

/// Runs `f` on each item, all at the same time: the rounds of the longest, not of all.
///
/// # Errors
/// The first item's error that is a cause.
pub(crate) fn each<T: Sync, U: Send>(
    s: &mut Session,
    label: impl Into<Label>,
    items: &[T],
    f: &(impl Fn(&mut Session, &T) -> Result<U, ProtocolError> + Sync),
) -> Result<Vec<U>, ProtocolError> {
    s.scope(label, |s| halves(s, items, f))
}

fn halves<T: Sync, U: Send>(
    s: &mut Session,
    items: &[T],
    f: &(impl Fn(&mut Session, &T) -> Result<U, ProtocolError> + Sync),
) -> Result<Vec<U>, ProtocolError> {
    match items {
        [] => Ok(Vec::new()),
        [one] => Ok(vec![f(s, one)?]),
        _ => {
            let (first, second) = items.split_at(items.len() / 2);
            let (mut out, rest) = s.join(|s| halves(s, first, f), |s| halves(s, second, f))?;
            out.extend(rest);
            Ok(out)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mpc::SharedBits;
    use mpc::lab::{self, Lab};

    #[test]
    fn the_longest_decides_how_many_rounds() {
        for n in [0usize, 1, 2, 5] {
            let f = |s: &mut Session| {
                let items: Vec<usize> = (0..n).collect();
                let done = each(s, "each", &items, &|s, item| {
                    let mut bit = SharedBits::constant(s, 1, 1, 1);
                    for at in 0..*item {
                        bit = mpc::and(s, ("and", at), &bit, &lab::deal_numbers(s, 1, 1, &[1]))?;
                    }
                    Ok(*item)
                })?;
                Ok((done, items))
            };
            let run = Lab::seeded(1).run(f);
            assert_eq!(run.rounds as usize, n.saturating_sub(1));
            assert_eq!(run.cost(), Lab::seeded(1).count(f).expect("counting succeeds"));
            let (done, items) = run.agreed();
            assert_eq!(done, items);
        }
    }
}
