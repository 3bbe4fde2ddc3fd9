//! Joins: matches are found first, then rows of either side come out as the kind of join asks.

mod find;
mod keys;
mod member;
mod nested;

use mpc::SharedBits;
use oblivious::Method;
use plan::secure::{Expr, Join, JoinKind, Matching, Node, Side};

use super::union;
use crate::context::{Context, Result};
use crate::expr::Rows;
use crate::kernel;
use crate::relation::{Column, Data, Relation};
use crate::share::{self, TextRule};

/// Pairs of rows, and what either side's rows know of their partners.
struct Matches {
    /// The left columns, then the right ones.
    columns: Vec<Column>,
    /// Which rows hold a pair that matches.
    valid: SharedBits,
    /// The side whose rows these are, one by one and in their order.
    rows_of: Option<Side>,
    left_used: Used,
    right_used: Used,
}

/// Which rows of one side have a partner.
enum Used {
    /// Those of one plane.
    Known(SharedBits),
    /// Those whose numbers stand beside pairs that match.
    Numbered(SharedBits),
    /// Nobody asks.
    Unasked,
}

/// Joins by equal keys and a further condition.
///
/// - **SQL:** `left [LEFT | FULL] JOIN right ON …`, `[NOT] EXISTS (…)`, `[NOT] IN (…)`
/// - **In:** `l` and `r` rows. **Out:** looked up, as many as the side that is not unique has;
///   expanded, the public number of pairs; compared pair by pair, `l·r`. Rows without a partner
///   that an outer join keeps come on top, unless they are those rows already. Joins that give
///   left rows alone keep `l`.
/// - **Reveals:** nothing; a key that repeats on a unique side and more pairs than the public number
///   become error bits.
/// - **Cost:** that of [`oblivious::lookup`], [`oblivious::member`] or [`oblivious::expand`]; every pair
///   compared, the keys' planes and the condition for `l·r` rows, in blocks of 2^16.
pub(crate) fn run(
    cx: &mut Context,
    node: &Node,
    join: &Join,
    left: Relation,
    right: Relation,
    rule: TextRule,
) -> Result<Relation> {
    let on = Sides { node, join, left, right, rule };
    if join.matching == Matching::Member {
        return member::run(cx, on);
    }
    let matches = match join.matching {
        Matching::Lookup { .. } if join.left_keys.is_empty() => {
            let matches = find::beside(cx, &on)?;
            return on.finish(cx, matches);
        }
        Matching::Lookup { unique_side, uniqueness } => find::look_up(cx, &on, unique_side, uniqueness)?,
        Matching::Expand { at_most } => find::expand(cx, &on, at_most)?,
        Matching::Pairs | Matching::Member => return nested::run(cx, on),
    };
    let matches = conditioned(cx, &on, matches)?;
    on.finish(cx, matches)
}

/// The keys of both sides, and below them, in plane 0, which rows match nothing.
pub(crate) fn join_keys(
    cx: &mut Context,
    node: &Node,
    join: &Join,
    sides: Vec<Relation>,
    rule: TextRule,
) -> Result<[SharedBits; 2]> {
    let [left, right] =
        <[Relation; 2]>::try_from(sides).map_err(|_| cx.wrong_plan("a join of two inputs"))?;
    let (left, right) = keys::keys(cx, &Sides { node, join, left, right, rule })?;
    Ok([left, right].map(|side| SharedBits::stack(&[&side.valid.not(cx.session()), &side.planes])))
}

/// A join and its inputs.
struct Sides<'a> {
    node: &'a Node,
    join: &'a Join,
    left: Relation,
    right: Relation,
    rule: TextRule,
}

/// Keeps the pairs of which the join's condition is true.
fn conditioned(cx: &mut Context, on: &Sides<'_>, matches: Matches) -> Result<Matches> {
    let Some(condition) = &on.join.condition else { return Ok(matches) };
    let pairs = Relation { columns: matches.columns, valid: matches.valid, compact: false };
    let valid = holds(cx, on, condition, &pairs)?;
    Ok(Matches { columns: pairs.columns, valid, ..matches })
}

/// Which valid pairs a condition is true of.
fn holds(cx: &mut Context, on: &Sides<'_>, condition: &Expr, pairs: &Relation) -> Result<SharedBits> {
    let keep = Rows::new(pairs, on.rule).condition(cx, condition, &pairs.valid)?;
    kernel::and(cx, &pairs.valid, &keep)
}

impl Sides<'_> {
    /// How rows of equal keys find each other.
    fn method(&self) -> Method {
        if share::come_in_order(self.node) { Method::Merge } else { Method::Auto }
    }

    /// Whether somebody asks which rows of a side have a partner.
    fn asks_for(&self, side: Side) -> bool {
        match side {
            Side::Left => self.join.kind != JoinKind::Inner,
            Side::Right => self.join.kind == JoinKind::Full,
        }
    }

    /// Whether partners count only once the condition has been looked at, so that pairs have to
    /// remember the rows of a side.
    fn remembers(&self, side: Side) -> bool {
        self.asks_for(side) && self.join.condition.is_some()
    }

    /// The rows that come out.
    fn finish(&self, cx: &mut Context, matches: Matches) -> Result<Relation> {
        let Matches { columns, valid, rows_of, left_used, right_used } = matches;
        let kind = self.join.kind;
        let left_used = match (self.asks_for(Side::Left), rows_of) {
            (true, Some(Side::Left)) => Some(valid.clone()),
            (true, _) => left_used.among(cx, self.left.n_rows(), &valid)?,
            (false, _) => None,
        };
        match (kind, left_used) {
            (JoinKind::Inner, _) | (_, None) => Ok(Relation { columns, valid, compact: false }),
            (JoinKind::Semi | JoinKind::Anti | JoinKind::Mark, Some(used)) => Ok(self.left_rows(used)),
            (JoinKind::Left | JoinKind::Full, Some(used)) => {
                let right_used = match (kind, rows_of) {
                    (JoinKind::Full, Some(Side::Right)) => Some(valid.clone()),
                    (JoinKind::Full, _) => right_used.among(cx, self.right.n_rows(), &valid)?,
                    _ => None,
                };
                self.with_singles(cx, Relation { columns, valid, compact: false }, rows_of, used, right_used)
            }
        }
    }

    /// Left rows by whether they have a partner.
    fn left_rows(&self, used: SharedBits) -> Relation {
        let Relation { columns, valid, compact } = self.left.clone();
        match self.join.kind {
            JoinKind::Semi => Relation { columns, valid: used, compact: false },
            // Rows that are used are valid ones.
            JoinKind::Anti => Relation { columns, valid: valid.xor(&used), compact: false },
            _ => {
                let mark = Column::truth(used, None);
                Relation { columns: columns.into_iter().chain([mark]).collect(), valid, compact }
            }
        }
    }

    /// Pairs, and the rows of an outer join that have no partner beside NULLs.
    fn with_singles(
        &self,
        cx: &mut Context,
        pairs: Relation,
        rows_of: Option<Side>,
        left_used: SharedBits,
        right_used: Option<SharedBits>,
    ) -> Result<Relation> {
        let (left, right) = (&self.left, &self.right);
        let n_left = left.columns.len();
        let mut all = Vec::new();
        let (lefts, rights) = pairs.columns.split_at(n_left);
        match (rows_of, &right_used) {
            (Some(Side::Left), _) => {
                let rights = optional(cx, rights.to_vec(), &pairs.valid)?;
                let columns = left.columns.iter().cloned().chain(rights).collect();
                all.push(Relation { columns, valid: left.valid.clone(), compact: left.compact });
            }
            (Some(Side::Right), Some(_)) => {
                let lefts = optional(cx, lefts.to_vec(), &pairs.valid)?;
                let columns = lefts.into_iter().chain(right.columns.iter().cloned()).collect();
                all.push(Relation { columns, valid: right.valid.clone(), compact: right.compact });
            }
            _ => all.push(pairs),
        }
        let nothing = |cx: &mut Context, columns: &[Column], n_rows: usize| {
            let never = SharedBits::constant(cx.session(), n_rows, 1, 0);
            let none = columns.iter().map(|column| column.none(cx, n_rows)).collect();
            optional(cx, none, &never)
        };
        if rows_of != Some(Side::Left) {
            let none = nothing(cx, &right.columns, left.n_rows())?;
            let columns = left.columns.iter().cloned().chain(none).collect();
            all.push(Relation { columns, valid: left.valid.xor(&left_used), compact: false });
        }
        if let Some(used) = right_used.filter(|_| rows_of != Some(Side::Right)) {
            let none = nothing(cx, &left.columns, right.n_rows())?;
            let columns = none.into_iter().chain(right.columns.iter().cloned()).collect();
            all.push(Relation { columns, valid: right.valid.xor(&used), compact: false });
        }
        if all.len() == 1 { Ok(all.remove(0)) } else { union::run(cx, self.node, &all) }
    }
}

impl Used {
    /// Which of a side's rows stand in pairs that match.
    fn among(self, cx: &mut Context, n_rows: usize, matching: &SharedBits) -> Result<Option<SharedBits>> {
        Ok(match self {
            Used::Known(used) => Some(used),
            Used::Numbered(numbers) => Some(find::numbered(cx, n_rows, &numbers, matching)?),
            Used::Unasked => None,
        })
    }
}

/// Columns that are NULL where nothing matched.
fn optional(cx: &mut Context, columns: Vec<Column>, matched: &SharedBits) -> Result<Vec<Column>> {
    let known: Vec<&SharedBits> = columns.iter().filter_map(|column| column.present.as_ref()).collect();
    let mut masked = kernel::and_each(cx, matched, &known)?.into_iter();
    let mut out = Vec::with_capacity(columns.len());
    for mut column in columns.clone() {
        if !matches!(column.data, Data::Dropped) {
            column.present = match column.present {
                Some(_) => masked.next(),
                None => Some(matched.clone()),
            };
            column.zeroed = false;
        } else if column.present.is_some() {
            masked.next();
        }
        out.push(column);
    }
    Ok(out)
}
