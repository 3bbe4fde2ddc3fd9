//! The sweep over the operators: what becomes of every changed message.

use math::{Column, Group, Ring, Z8, Z16, Z32, Z64};
use mpc::lab::{self, Ending, Lab, Mutant, Report, Sweep, Trace};
use mpc::{ProtocolError, Security, Session, Shared, SharedBits};
use oblivious::adder::Carry;
use oblivious::{
    Aggregate, Cells, JoinSide, Method, Order, Rows, Running, Table, adder, apply, compare, compose, convert,
    distinct, divide, group_by, invert, lookup, merge, segmented_scan, segmented_sum, sort, sort_by_bit,
};

#[path = "sweep/more.rs"]
mod more;

/// All that was opened, in order.
type Opened = Result<Vec<u128>, ProtocolError>;

/// An operator on its smallest inputs.
type Operator = (&'static str, fn(&mut Session) -> Opened);

fn bits(s: &Session, seed: u64, width: usize, values: &[i128]) -> SharedBits {
    lab::deal_numbers(s, seed, width, values)
}

fn ring<R: Group>(s: &Session, seed: u64, values: &[u128]) -> Shared<R> {
    lab::deal(s, seed, &Column::from_fn(values.len(), |row| R::from_word(values[row])))
}

fn shown(s: &mut Session, cells: Vec<Cells>) -> Opened {
    fn opened<R: Ring>(s: &mut Session, x: Shared<R>) -> Opened {
        let x = mpc::verify(s, x)?;
        let opened = mpc::open(s, "open", x)?;
        Ok(opened.map_or(Vec::new(), |x| x.items().iter().map(|item| item.word()).collect()))
    }
    let mut seen = Vec::new();
    for (at, cells) in cells.into_iter().enumerate() {
        seen.extend(s.scope(("shown", at), |s| match cells {
            Cells::Bits(x) => {
                let x = mpc::verify(s, x)?;
                let opened = mpc::open_bits(s, "open", x)?;
                Ok(opened.map_or(Vec::new(), |x| (0..x.n_rows()).map(|row| x.row(row)).collect()))
            }
            Cells::Ring8(x) => opened(s, x),
            Cells::Ring16(x) => opened(s, x),
            Cells::Ring32(x) => opened(s, x),
            Cells::Ring64(x) => opened(s, x),
            Cells::Ring128(x) => opened(s, x),
        })?);
    }
    Ok(seen)
}

fn less_than(s: &mut Session) -> Opened {
    let (x, y) = (bits(s, 1, 4, &[1, 7, -3]), bits(s, 2, 4, &[2, 7, -4]));
    let less = compare::less_than(s, "less", &x, &y, true)?;
    shown(s, vec![less.into()])
}

fn equal(s: &mut Session) -> Opened {
    let (x, y) = (bits(s, 1, 4, &[1, 7]), bits(s, 2, 4, &[1, 5]));
    let same = compare::equal(s, "equal", &x, &y)?;
    shown(s, vec![same.into()])
}

fn add(s: &mut Session) -> Opened {
    let (x, y) = (bits(s, 1, 4, &[1, 7]), bits(s, 2, 4, &[3, 5]));
    let sum = adder::add(s, "add", &x, &y, Carry::None)?;
    shown(s, vec![sum.into()])
}

fn divided(s: &mut Session) -> Opened {
    let (x, y) = (bits(s, 1, 3, &[7]), bits(s, 2, 3, &[2]));
    let quotient = divide::divide_unsigned(s, "divide", &x, &y)?;
    shown(s, vec![quotient.quotient.into(), quotient.remainder.into(), quotient.by_zero.into()])
}

fn ring_to_bits(s: &mut Session) -> Opened {
    let x = ring::<Z8>(s, 1, &[200, 3]);
    let x = convert::ring_to_bits(s, "convert", &x, 8)?;
    shown(s, vec![x.into()])
}

fn bit_to_ring(s: &mut Session) -> Opened {
    let x = bits(s, 1, 1, &[1, 0]);
    let x: Shared<Z32> = convert::bit_to_ring(s, "convert", &x)?;
    shown(s, vec![x.into()])
}

fn bits_to_ring(s: &mut Session) -> Opened {
    let x = bits(s, 1, 12, &[-100, 17]);
    let x: Shared<Z16> = convert::bits_to_ring(s, "convert", &x, true)?;
    shown(s, vec![x.into()])
}

fn ring_tests(s: &mut Session) -> Opened {
    let (x, y) = (ring::<Z8>(s, 1, &[200, 3]), ring(s, 2, &[200, 4]));
    let negative = convert::is_negative(s, "negative", &x)?;
    let same = convert::equal_ring(s, "equal", &x, &y)?;
    shown(s, vec![negative.into(), same.into()])
}

fn truncate(s: &mut Session) -> Opened {
    let x = ring::<Z8>(s, 1, &[200, 77]);
    let x = convert::truncate(s, "truncate", &x, 3)?;
    shown(s, vec![x.into()])
}

/// A table of bits and ring elements.
fn table(s: &Session) -> Result<Table, ProtocolError> {
    Table::try_new(
        s,
        4,
        vec![bits(s, 7, 3, &[3, 1, 0, 2]).into(), ring::<Z64>(s, 8, &[30, 10, 0, 20]).into()],
    )
}

fn shuffle(s: &mut Session) -> Opened {
    let table = table(s)?;
    let moved = oblivious::shuffle(s, "shuffle", &table)?;
    shown(s, moved.into_columns())
}

fn applied(s: &mut Session) -> Opened {
    let (table, to) = (table(s)?, ring::<Z32>(s, 9, &[2, 0, 3, 1]));
    let moved = apply(s, "apply", &to, &table)?;
    shown(s, moved.into_columns())
}

fn restored(s: &mut Session) -> Opened {
    let (table, to) = (table(s)?, ring::<Z32>(s, 9, &[2, 0, 3, 1]));
    let (order, moved) = Order::of_positions(s, "order", &to, &table)?;
    let back = order.restore(s, "restore", &moved)?;
    shown(s, back.into_columns())
}

fn inverted(s: &mut Session) -> Opened {
    let to = ring::<Z32>(s, 9, &[2, 0, 1]);
    let back = invert(s, "invert", &to)?;
    shown(s, vec![back.into()])
}

fn composed(s: &mut Session) -> Opened {
    let (first, second) = (ring::<Z32>(s, 9, &[2, 0, 1]), ring(s, 10, &[1, 0, 2]));
    let both = compose(s, "compose", &first, &second)?;
    shown(s, vec![both.into()])
}

fn sorted(s: &mut Session, method: Method) -> Opened {
    let keys = bits(s, 1, 3, &[3, 1, 2, 1]);
    let table = Table::try_new(s, 4, vec![ring::<Z64>(s, 8, &[30, 10, 20, 11]).into()])?;
    let sorted = sort(s, "sort", &keys, &table, method)?;
    let columns = sorted.table.into_columns();
    shown(s, [vec![sorted.keys.into()], columns].concat())
}

fn runs_merged(s: &mut Session) -> Opened {
    let keys = bits(s, 1, 3, &[1, 3, 0, 2]);
    let table = Table::try_new(s, 4, vec![ring::<Z64>(s, 8, &[30, 10, 20, 11]).into()])?;
    let merged = merge(s, "merge", &keys, &table, &[2, 2])?;
    let columns = merged.table.into_columns();
    shown(s, [vec![merged.keys.into()], columns].concat())
}

fn bit_sorted(s: &mut Session) -> Opened {
    let bit = bits(s, 1, 1, &[1, 0, 1, 0]);
    let table = table(s)?;
    let order = sort_by_bit(s, "sort", &bit, &table)?;
    shown(s, order.1.into_columns())
}

fn scan(s: &mut Session) -> Opened {
    let (starts, values) = (bits(s, 1, 1, &[1, 0, 0, 1]), bits(s, 2, 3, &[3, 1, 2, 1]));
    let least = segmented_scan(s, "scan", &starts, &values, Running::Min)?;
    shown(s, vec![least.into()])
}

fn sum(s: &mut Session) -> Opened {
    let starts = bits(s, 1, 1, &[1, 0, 0, 1]);
    let sums = segmented_sum(s, "sum", &starts, &ring::<Z64>(s, 3, &[3, 1, 2, 1]))?;
    shown(s, vec![sums.into()])
}

fn join(s: &mut Session) -> Opened {
    let (keys, other) = (bits(s, 1, 3, &[3, 1]), bits(s, 2, 3, &[1, 2, 3]));
    let (valid, other_valid) = (bits(s, 3, 1, &[1, 1]), bits(s, 4, 1, &[1, 1, 1]));
    let payload = Table::try_new(s, 2, vec![bits(s, 5, 4, &[9, 5]).into()])?;
    let unique = JoinSide { keys: &keys, valid: &valid, payload: &payload };
    let found = lookup(s, "lookup", unique, &other, &other_valid, Method::Quick)?;
    let columns = found.payload.into_columns();
    shown(s, [vec![found.matched.into(), found.broken.into()], columns].concat())
}

fn groups(s: &mut Session) -> Opened {
    let (keys, valid) = (bits(s, 1, 2, &[2, 1, 2]), bits(s, 2, 1, &[1, 1, 1]));
    let aggregates = [
        Aggregate::Rows,
        Aggregate::Sum { values: ring::<Z64>(s, 3, &[5, 6, 7]).into(), present: None },
        Aggregate::Max { values: bits(s, 4, 3, &[5, 6, 7]), present: None },
    ];
    let along = Table::empty(3);
    let rows = Rows { keys: &keys, valid: &valid, along: &along };
    let groups = group_by(s, "group", rows, &aggregates, None, Method::Radix)?;
    let mut columns = vec![groups.keys.into(), groups.valid.into()];
    columns.extend(groups.aggregates.into_iter().map(|aggregate| aggregate.values));
    shown(s, columns)
}

fn different(s: &mut Session) -> Opened {
    let (keys, valid) = (bits(s, 1, 2, &[2, 1, 2]), bits(s, 2, 1, &[1, 1, 1]));
    let along = Table::empty(3);
    let rows = Rows { keys: &keys, valid: &valid, along: &along };
    let distinct = distinct(s, "distinct", rows, None, Method::Quick)?;
    shown(s, vec![distinct.keys.into(), distinct.valid.into()])
}

fn many(n: i128) -> Vec<i128> {
    (0..n).map(|row| row * 5 % 13).collect()
}

fn long_sort(s: &mut Session, n: i128, method: Method) -> Opened {
    let keys = bits(s, 1, 4, &many(n));
    let sorted = sort(s, "sort", &keys, &Table::empty(n as usize), method)?;
    shown(s, vec![sorted.keys.into()])
}

fn long_join(s: &mut Session) -> Opened {
    let (keys, other) = (bits(s, 1, 4, &many(12)), bits(s, 2, 4, &many(20)));
    let (valid, other_valid) = (SharedBits::constant(s, 12, 1, 1), SharedBits::constant(s, 20, 1, 1));
    let payload = Table::try_new(s, 12, vec![keys.clone().into()])?;
    let unique = JoinSide { keys: &keys, valid: &valid, payload: &payload };
    let found = lookup(s, "lookup", unique, &other, &other_valid, Method::Auto)?;
    shown(s, vec![found.matched.into()])
}

/// Steps on bits.
const BOOLEAN: &[Operator] = &[
    ("less_than", less_than),
    ("equal", equal),
    ("add", add),
    ("divide", divided),
    ("ring_to_bits", ring_to_bits),
    ("bits_to_ring", bits_to_ring),
    ("is_negative, equal_ring", ring_tests),
    ("scan", scan),
];

/// Steps with products in rings.
const RING: &[Operator] = &[("bit_to_ring", bit_to_ring), ("truncate", truncate), ("sum", sum)];

/// Rows that move.
const MOVING: &[Operator] = &[
    ("shuffle", shuffle),
    ("apply", applied),
    ("restore", restored),
    ("invert", inverted),
    ("compose", composed),
    ("quicksort", |s| sorted(s, Method::Quick)),
    ("merge", runs_merged),
];

/// Rows that move by positions computed in rings.
const COUNTING: &[Operator] = &[("sort_by_bit", bit_sorted), ("radix sort", |s| sorted(s, Method::Radix))];

/// Operators made of all of them.
const TABLES: &[Operator] = &[("join", join), ("group_by", groups), ("distinct", different)];

/// More rows, for samples of the cases.
const LONG: &[Operator] = &[
    ("long quicksort", |s| long_sort(s, 100, Method::Quick)),
    ("long radix sort", |s| long_sort(s, 100, Method::Radix)),
    ("long join", long_join),
];

fn swept((name, f): &Operator, sweep: Sweep) -> Report {
    let report = sweep.run(f);
    println!("{name}: {report}");
    report
}

/// Without checks a changed product is a wrong answer, which the sweep sees; and nothing worse:
/// what is opened steers a sort, parties that see different values go different ways, and yet no
/// party waits for ever, panics or accuses another one.
fn ends_semi_honest(operators: &[Operator], n_cases: usize) {
    for operator in operators {
        let report = swept(operator, Sweep::new(Lab::seeded(1)).sampled(3, n_cases));
        let worse = report.failures().into_iter().find(|(_, ending)| *ending != Ending::Wrong);
        assert!(worse.is_none(), "{}: {report}: {worse:?}", operator.0);
        assert!(!report.ended(Ending::Wrong).is_empty(), "{}: {report}", operator.0);
    }
}

#[test]
fn semi_honest_operators_are_spoiled_but_end() {
    ends_semi_honest(BOOLEAN, 100);
    ends_semi_honest(RING, 100);
    ends_semi_honest(MOVING, 150);
    ends_semi_honest(COUNTING, 150);
    ends_semi_honest(TABLES, 150);
    ends_semi_honest(LONG, 150);
}

fn malicious_lab() -> Lab {
    Lab::seeded(1).security(Security::Malicious)
}

fn malicious() -> Sweep {
    Sweep::new(malicious_lab())
}

/// No party opens anything, inside an operator or after it, before both others have vouched for
/// every product and every move of rows that it can depend on. A session that proves late gives
/// the right answer too, and is seen.
fn opens_what_was_verified(operators: &[Operator]) {
    for (name, f) in operators {
        let early = |lab: &Lab| {
            let trace = Trace::of(lab, f).unwrap_or_else(|error| panic!("{name}: {error}"));
            trace.early_openings()
        };
        let honest = early(&malicious_lab());
        assert!(honest.is_empty(), "{name}: {} early, {:?}", honest.len(), honest[0]);
        assert!(!early(&malicious_lab().mutant(Mutant::VerifiesLate)).is_empty(), "{name}");
    }
}

#[test]
fn malicious_operators_on_bits_are_right_or_stop() {
    BOOLEAN.iter().for_each(|operator| swept(operator, malicious()).assert_clean());
}

#[test]
fn malicious_operators_on_bits_open_what_was_verified() {
    opens_what_was_verified(BOOLEAN);
}

#[test]
fn malicious_operators_on_rings_open_what_was_verified() {
    opens_what_was_verified(RING);
}

#[test]
fn malicious_operators_that_move_rows_open_what_was_verified() {
    opens_what_was_verified(MOVING);
}

#[test]
fn malicious_operators_on_tables_open_what_was_verified() {
    [COUNTING, TABLES, LONG].into_iter().for_each(opens_what_was_verified);
}

#[test]
fn malicious_operators_on_rings_are_right_or_stop() {
    RING.iter().for_each(|operator| swept(operator, malicious()).assert_clean());
}

/// `n` of the cases for each operator. `SWEEP_SEED` chooses other ones than usual, and
/// `SWEEP_TIMES` so many times as many.
fn sampled(operators: &[Operator], n: usize) {
    let number = |name: &str, usual: u64| {
        std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(usual)
    };
    let (seed, n) = (number("SWEEP_SEED", 2026), n * number("SWEEP_TIMES", 1) as usize);
    println!("seed {seed}");
    operators.iter().for_each(|operator| swept(operator, malicious().sampled(seed, n)).assert_clean());
}

#[test]
fn malicious_operators_that_move_rows_are_right_or_stop() {
    MOVING.iter().for_each(|operator| swept(operator, malicious()).assert_clean());
}

#[test]
fn malicious_operators_on_tables_are_right_or_stop() {
    sampled(COUNTING, 400);
    sampled(TABLES, 400);
    sampled(LONG, 200);
}
