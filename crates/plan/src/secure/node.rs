//! The operators of a secure plan.

use std::fmt;

use datafusion::logical_expr::LogicalPlan;

use super::expr::Expr;
use super::window::WindowCall;
use crate::policy::RowCount;
use crate::types::{Range, Type, Value};

/// What operators above do with a column, so that only those forms travel.
///
/// A column with no need at all may be dropped where it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Needs {
    /// Compared for equality: join key, group key, `=`, IN, DISTINCT. For text
    /// a hash is enough.
    pub equality: bool,
    /// Compared by order: sort key, `<`, MIN, MAX. Text needs its bytes.
    pub order: bool,
    /// Comes out of the plan, or moves to where one of the others is needed
    /// in another guise (a CASE's value). Text needs its bytes.
    pub output: bool,
    /// Taken part in arithmetic, a sum, a condition or a cast.
    pub arithmetic: bool,
}

impl Needs {
    /// Whether any is set.
    pub fn any(self) -> bool {
        self.equality || self.order || self.output || self.arithmetic
    }

    /// Both sets of needs.
    pub fn with(self, other: Needs) -> Needs {
        Needs {
            equality: self.equality || other.equality,
            order: self.order || other.order,
            output: self.output || other.output,
            arithmetic: self.arithmetic || other.arithmetic,
        }
    }
}

/// A column of a relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name; for people, columns are referred to by index.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Whether it can be NULL.
    pub nullable: bool,
    /// Between which unscaled values it lies. `None` for text and doubles.
    pub range: Option<Range>,
    /// The most bytes of a text; 0 for everything else.
    pub width_bytes: u32,
    /// The most different values that are not NULL, where that is known beside the range.
    pub distinct: Option<u64>,
    /// After how many decimal digits behind the point a double ends that was computed without rounding,
    /// where different ones of so many digits are different doubles.
    pub digits: Option<u8>,
    /// What operators above do with it.
    pub needs: Needs,
}

/// Who computes a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// One party, in clear, on its own data: its index in the session.
    Local(usize),
    /// The compute parties, on shares.
    Shared,
    /// Anyone: constant rows, which operators above take as shares.
    Public,
}

/// A subtree that one party runs in clear on its own tables.
#[derive(Clone, Debug)]
pub struct LocalStage {
    /// The owner's index in the session.
    pub party: usize,
    /// What it runs, with tables as `party.table`. Arithmetic in it is checked
    /// already: run it as it is, without analysing it again.
    pub logical: LogicalPlan,
    /// The owner's tables that it reads, each once.
    pub tables: Vec<String>,
    /// What it reads and does, in a few words.
    pub name: String,
    /// What everybody learns of how many rows come out, before anything is shared.
    pub told: RowCount,
    /// Sets of output columns that no two rows agree on, rows with NULLs among
    /// them aside.
    pub unique_keys: Vec<UniqueKey>,
}

/// Columns on which no two rows agree, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UniqueKey {
    /// The columns, ascending.
    pub columns: Vec<usize>,
    /// Why.
    pub basis: Uniqueness,
}

/// Why a key is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Uniqueness {
    /// The owner declared it, and its node checks the data before it shares.
    Declared,
    /// The owner's node found it so in the data.
    Inferred,
    /// A group-by, a DISTINCT or a single row makes it so.
    Construction,
}

/// The kind of a join: which rows come out, and with which columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JoinKind {
    /// Pairs that match.
    Inner,
    /// Pairs that match, and left rows without a match beside NULLs.
    Left,
    /// Pairs that match, and rows of either side without a match beside NULLs.
    Full,
    /// Left rows that have a match.
    Semi,
    /// Left rows that have no match.
    Anti,
    /// Left rows, and beside each whether it has a match.
    Mark,
}

impl JoinKind {
    /// Whether pairs come out, and not left rows alone.
    pub fn gives_pairs(self) -> bool {
        matches!(self, JoinKind::Inner | JoinKind::Left | JoinKind::Full)
    }
}

/// What a key that is NULL matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NullKeys {
    /// Nothing.
    Never,
    /// Another NULL: INTERSECT, EXCEPT, IS NOT DISTINCT FROM.
    Equal,
    /// Perhaps everything, so that a left row of an antijoin is kept only if no right row has a NULL
    /// key, and if its own is not NULL or there is no right row at all: NOT IN.
    Unknown,
}

/// How the matches of a join are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Matching {
    /// Each row of the other side looks up its match, of which it has one at most.
    ///
    /// Without keys every row matches: then the unique side has one row at most, which goes beside
    /// each row of the other.
    Lookup {
        /// The side on which no two rows have the same keys.
        unique_side: Side,
        /// Why that side is unique.
        uniqueness: Uniqueness,
    },
    /// Whether the keys are among those of the right side; for joins that give left rows alone.
    Member,
    /// All pairs of equal keys are made, up to a public number. More are an error.
    Expand {
        /// The most pairs.
        at_most: u64,
    },
    /// Every row of the left side is compared with every row of the right one.
    Pairs,
}

/// One of a join's inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The first input.
    Left,
    /// The second input.
    Right,
}

/// A join by equal keys and a further condition. The output is the left input's columns, then those
/// of the right input, or for [`JoinKind::Mark`] one truth, or nothing more.
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    /// Which rows come out.
    pub kind: JoinKind,
    /// The left input's key columns.
    pub left_keys: Vec<usize>,
    /// The right input's key columns, in the same order and of the same types.
    pub right_keys: Vec<usize>,
    /// What a NULL among the keys matches.
    pub nulls: NullKeys,
    /// What else has to be true of a pair: over the columns of the left input, then the right one's.
    pub condition: Option<Expr>,
    /// How matches are found.
    pub matching: Matching,
}

/// A function over the rows of a group. NULLs are left out, except by `CountStar`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AggFunc {
    /// Rows.
    CountStar,
    /// Rows where the input is not NULL.
    Count,
    /// The sum, NULL over no value.
    Sum,
    /// The mean, NULL over no value: of integers a double, of decimals a
    /// decimal of the result's scale, cut towards zero.
    Avg,
    /// The least, NULL over no value.
    Min,
    /// The greatest, NULL over no value.
    Max,
}

impl AggFunc {
    /// Its name in SQL.
    pub fn name(self) -> &'static str {
        match self {
            AggFunc::CountStar | AggFunc::Count => "count",
            AggFunc::Sum => "sum",
            AggFunc::Avg => "avg",
            AggFunc::Min => "min",
            AggFunc::Max => "max",
        }
    }
}

/// One aggregate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agg {
    /// The function.
    pub func: AggFunc,
    /// The input column; `None` for `CountStar`.
    pub input: Option<usize>,
    /// The result's type.
    pub ty: Type,
    /// What the engine has to test: SUM's total, or the dividend of AVG.
    pub overflow: super::expr::Overflow,
}

/// One key of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SortKey {
    /// The column.
    pub column: usize,
    /// Whether the greatest comes first.
    pub descending: bool,
    /// Whether NULLs come first.
    pub nulls_first: bool,
}

/// What a node does with its inputs.
#[derive(Clone, Debug)]
pub enum Op {
    /// Reads and computes at one owner, in clear.
    LocalStage(Box<LocalStage>),
    /// The rows of another node, which come out there a second time.
    Again {
        /// That node's number, which is smaller.
        of: usize,
        /// Whether its rows lie as a join left them.
        as_joined: bool,
    },
    /// Constant rows; a public place.
    Values {
        /// The rows, in the unscaled form of the columns' types.
        rows: Vec<Vec<Value>>,
    },
    /// Keeps the rows where the predicate is true.
    Filter {
        /// The condition.
        predicate: Expr,
    },
    /// Computes each column of its schema.
    Project {
        /// One expression per column.
        exprs: Vec<Expr>,
    },
    /// Joins two inputs.
    Join(Join),
    /// Groups by columns (NULL is a value of its own) and aggregates. The
    /// output is the group columns in order, then the aggregates. Without
    /// group columns there is exactly one row, also over no input.
    Aggregate {
        /// The group columns.
        group: Vec<usize>,
        /// The aggregates.
        aggs: Vec<Agg>,
    },
    /// Adds a column for each window function. Rows of one partition agree on some columns (NULL
    /// is a value of its own); `order` tells which of them come first, ties in random order.
    Window {
        /// The columns that make a partition.
        partition: Vec<usize>,
        /// The order within it.
        order: Vec<SortKey>,
        /// The functions.
        calls: Vec<WindowCall>,
    },
    /// Repeats every row for each grouping set. The output is the input's columns, then the
    /// grouping columns, NULL where the set leaves them out, then the set's mark. If a set has no
    /// columns, there is a row more for it, NULL in every column, and a last column that is TRUE in
    /// all other rows.
    Expand {
        /// The grouping columns.
        group: Vec<usize>,
        /// The sets: which of the grouping columns belong, and the mark that tells the sets apart.
        sets: Vec<(Vec<bool>, i128)>,
    },
    /// Keeps one of several equal rows (NULL equals NULL).
    Distinct,
    /// All rows of all inputs, column by column of the same types.
    UnionAll,
    /// Orders the rows; ties in random order. Rows beyond `fetch` are dropped.
    Sort {
        /// The keys, most significant first.
        keys: Vec<SortKey>,
        /// The most rows that come out.
        fetch: Option<u64>,
    },
    /// Keeps the groups in which every count is large enough, and counts the others, whose number
    /// goes to the asker if it may be told.
    Suppress {
        /// What is true of the groups that stay.
        predicate: Expr,
        /// Whether their number is told.
        told: bool,
    },
    /// Drops the first `skip` valid rows and those after the next `fetch`.
    Limit {
        /// Rows to drop.
        skip: u64,
        /// Rows to keep after them.
        fetch: Option<u64>,
    },
}

impl Op {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Op::LocalStage(_) => "LocalStage",
            Op::Again { .. } => "Again",
            Op::Values { .. } => "Values",
            Op::Filter { .. } => "Filter",
            Op::Project { .. } => "Project",
            Op::Join(join) => match join.kind {
                JoinKind::Inner => "InnerJoin",
                JoinKind::Left => "LeftJoin",
                JoinKind::Full => "FullJoin",
                JoinKind::Semi => "SemiJoin",
                JoinKind::Anti => "AntiJoin",
                JoinKind::Mark => "MarkJoin",
            },
            Op::Aggregate { .. } => "Aggregate",
            Op::Window { .. } => "Window",
            Op::Expand { .. } => "Expand",
            Op::Distinct => "Distinct",
            Op::UnionAll => "UnionAll",
            Op::Sort { .. } => "Sort",
            Op::Suppress { .. } => "Suppress",
            Op::Limit { .. } => "Limit",
        }
    }
}

/// A node of a secure plan.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its number in pre-order, the root's being 0.
    pub id: usize,
    /// What it does.
    pub op: Op,
    /// Who does it.
    pub place: Place,
    /// Its columns.
    pub schema: Vec<Field>,
    /// At most this many rows are valid. A relation may hold more rows than
    /// that until it is compacted.
    pub row_bound: u64,
    /// What it takes.
    pub inputs: Vec<Node>,
}

impl Node {
    /// The names of its columns.
    pub fn names(&self) -> Vec<String> {
        self.schema.iter().map(|field| field.name.clone()).collect()
    }

    /// Visits it and every node below, in the order of their ids.
    pub fn visit<'a>(&'a self, see: &mut impl FnMut(&'a Node)) {
        see(self);
        self.inputs.iter().for_each(|input| input.visit(see));
    }

    /// It and every node below, in the order of their ids.
    pub fn nodes(&self) -> Vec<&Node> {
        let mut nodes = Vec::new();
        self.visit(&mut |node| nodes.push(node));
        nodes
    }

    /// Whether its rows lie as a join left them: by the join's keys.
    pub fn lies_as_joined(&self) -> bool {
        match &self.op {
            Op::Join(_) => true,
            Op::Again { as_joined, .. } => *as_joined,
            Op::Filter { .. } | Op::Project { .. } | Op::UnionAll => {
                self.inputs.iter().any(Node::lies_as_joined)
            }
            _ => false,
        }
    }

    /// Whether running it can fail for what the data holds.
    pub fn can_fail(&self) -> bool {
        match &self.op {
            Op::Filter { predicate } => predicate.can_fail(),
            Op::Project { exprs } => exprs.iter().any(Expr::can_fail),
            Op::Aggregate { aggs, .. } => {
                aggs.iter().any(|agg| agg.overflow != super::expr::Overflow::Impossible)
            }
            Op::Window { calls, .. } => {
                calls.iter().any(|call| call.overflow != super::expr::Overflow::Impossible)
            }
            // Its owner checks a key or a number of matches that it states; shares are checked again,
            // against a lie.
            Op::Join(join) => {
                let by_matching = match join.matching {
                    Matching::Lookup { uniqueness, .. } => uniqueness != Uniqueness::Construction,
                    Matching::Expand { .. } => true,
                    Matching::Member | Matching::Pairs => false,
                };
                by_matching || join.condition.as_ref().is_some_and(Expr::can_fail)
            }
            _ => false,
        }
    }
}

impl fmt::Display for SortKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = if self.descending { "desc" } else { "asc" };
        let nulls = if self.nulls_first { "nulls first" } else { "nulls last" };
        write!(f, "#{} {order} {nulls}", self.column)
    }
}
