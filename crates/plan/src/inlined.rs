//! Bounds for what DataFusion writes out: a predicate with expressions in the place of columns.
//!
//! A filter moves below a projection or an aggregate with the expression of each column in place
//! of every mention of it. A question whose levels each read the column below them several times,
//! as `SELECT a + a - a AS a FROM (…)` does, makes of thirty levels more parts than memory holds.
//! So the rules that do so are asked for no more than [`MAX_COPIED`]: a condition that would grow
//! beyond it stays above the projection, which computes each column once. Its rows are the same.
//! In the same way, what is written several times where expressions are simplified is left as it is
//! where it would come to more than [`MAX_SIMPLIFIED`].

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Filter, LogicalPlan};
use datafusion::optimizer::optimizer::{ApplyOrder, Optimizer};
use datafusion::optimizer::simplify_expressions::expr_simplifier::THRESHOLD_INLINE_INLIST;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// Parts of a predicate in all its copies, over which it moves only where it does not grow.
const MAX_PARTS: usize = 100_000;

/// Parts of copies that one move may put into a predicate: of what it mentions more than once.
const MAX_COPIED: usize = 200;

/// Parts of an expression once it is simplified.
pub(crate) const MAX_SIMPLIFIED: u64 = 50_000;

/// DataFusion's rules, with bounds around those that write expressions in the place of columns.
pub(crate) fn rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let bounded = |rule: Arc<dyn OptimizerRule + Send + Sync>| match rule.name() {
        "push_down_filter" => Arc::new(Bounded { rule, grows: Grows::BelowOne }) as _,
        "eliminate_outer_join" => Arc::new(Bounded { rule, grows: Grows::BelowAll }) as _,
        "simplify_expressions" => Arc::new(Bounded { rule, grows: Grows::InPlace }) as _,
        _ => rule,
    };
    Optimizer::new().rules.into_iter().map(bounded).collect()
}

/// Where what a rule writes becomes larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grows {
    /// In a predicate, below one node.
    BelowOne,
    /// In a predicate, below all projections that follow one another.
    BelowAll,
    /// In any expression, where it stands.
    InPlace,
}

/// A rule that sees those alone which stay small.
#[derive(Debug)]
struct Bounded {
    rule: Arc<dyn OptimizerRule + Send + Sync>,
    grows: Grows,
}

impl OptimizerRule for Bounded {
    fn name(&self) -> &str {
        self.rule.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.rule.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match self.grows {
            Grows::InPlace => self.rewrite_expressions(plan, config),
            Grows::BelowOne | Grows::BelowAll => self.rewrite_filter(plan, config),
        }
    }
}

impl Bounded {
    fn rewrite_filter(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Filter(filter) = &plan else { return self.rule.rewrite(plan, config) };
        let mut predicates = split_conjunction_owned(filter.predicate.clone());
        let mut input = &filter.input;
        if self.grows == Grows::BelowOne {
            // The rule makes one of filters that follow one another, and moves that.
            while let LogicalPlan::Filter(inner) = input.as_ref() {
                predicates.splice(0..0, split_conjunction_owned(inner.predicate.clone()));
                input = &inner.input;
            }
        }
        let n_copies = n_branches(input);
        let below = match self.grows {
            Grows::BelowAll => projections(input).map(Columns::of).collect(),
            _ => vec![Columns::of(input)],
        };
        let mut total = 0usize;
        let (mut small, mut large) = (Vec::new(), Vec::new());
        for predicate in predicates {
            let written = n_parts(&predicate);
            let Growth { added, copied } = growth(&predicate, &below);
            let parts = written.saturating_add(added).saturating_mul(n_copies);
            let fits = copied <= MAX_COPIED && total.saturating_add(parts) <= MAX_PARTS;
            if parts == written || fits { &mut small } else { &mut large }.push(predicate);
            total = total.saturating_add(if fits { parts } else { 0 });
        }
        let Some(large) = conjunction(large) else { return self.rule.rewrite(plan, config) };
        let Some(small) = conjunction(small) else { return Ok(Transformed::no(plan)) };
        let small = Filter::try_new(small, Arc::clone(input))?;
        let moved = self.rule.rewrite(LogicalPlan::Filter(small), config)?;
        if !moved.transformed {
            return Ok(Transformed::no(plan));
        }
        moved.map_data(|moved| Ok(LogicalPlan::Filter(Filter::try_new(large, Arc::new(moved))?)))
    }

    fn rewrite_expressions(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let mut grows = false;
        plan.apply_expressions(|expr| {
            grows |= n_simplified(expr, &simplified) > MAX_SIMPLIFIED;
            Ok(TreeNodeRecursion::Continue)
        })?;
        if grows { Ok(Transformed::no(plan)) } else { self.rule.rewrite(plan, config) }
    }
}

/// How many parts an expression has once it is simplified, where `times` says how often each child of
/// one is written.
pub(crate) fn n_simplified(expr: &Expr, times: &impl Fn(&Expr, usize, usize) -> u64) -> u64 {
    let mut parts = Vec::new();
    let walked = expr.apply_children(|child| {
        parts.push(n_simplified(child, times));
        Ok(TreeNodeRecursion::Continue)
    });
    debug_assert!(walked.is_ok());
    let n = parts.len();
    let written = parts.into_iter().enumerate().map(|(at, parts)| parts.saturating_mul(times(expr, at, n)));
    written.fold(1, u64::saturating_add)
}

/// How often a COALESCE writes the child at `at` of its `n`: it becomes a CASE that says each value
/// but the last one twice.
pub(crate) fn coalesced(expr: &Expr, at: usize, n: usize) -> u64 {
    let Expr::ScalarFunction(function) = expr else { return 1 };
    if matches!(function.name(), "coalesce" | "nvl" | "ifnull") && at + 1 < n { 2 } else { 1 }
}

/// How often any expression writes the child at `at` of its `n`.
fn simplified(expr: &Expr, at: usize, n: usize) -> u64 {
    match expr {
        // x >= low AND x <= high.
        Expr::Between(_) if at == 0 => 2,
        // x = a OR x = b OR x = c.
        Expr::InList(list) if at == 0 && list.list.len() <= THRESHOLD_INLINE_INLIST => n as u64 - 1,
        // X AND a OR Y AND b AND NOT X OR NOT (X OR Y) AND c.
        Expr::Case(case)
            if case.expr.is_none() && at.is_multiple_of(2) && at / 2 < case.when_then_expr.len() =>
        {
            1 + case.when_then_expr.len().min(3) as u64
        }
        _ => coalesced(expr, at, n),
    }
}

/// The projections on top of a plan, from the first one down.
fn projections(plan: &LogicalPlan) -> impl Iterator<Item = &LogicalPlan> {
    let mut rest = plan;
    std::iter::from_fn(move || {
        let LogicalPlan::Projection(projection) = rest else { return None };
        Some(std::mem::replace(&mut rest, &projection.input))
    })
}

/// How many copies of a filter there are once it has moved below all unions that follow one another.
fn n_branches(plan: &LogicalPlan) -> usize {
    match plan {
        LogicalPlan::Union(union) => union.inputs.iter().map(|input| n_branches(input)).sum(),
        LogicalPlan::SubqueryAlias(alias) => n_branches(&alias.input),
        LogicalPlan::Projection(projection) => n_branches(&projection.input),
        _ => 1,
    }
}

/// What the columns of a node are written as below it, and how many parts that has.
struct Columns<'a>(HashMap<String, (&'a Expr, usize)>);

impl<'a> Columns<'a> {
    fn of(plan: &'a LogicalPlan) -> Columns<'a> {
        let sized = |name: String, expr: &'a Expr| {
            let expr = unaliased(expr);
            (name, (expr, n_parts(expr)))
        };
        Columns(match plan {
            LogicalPlan::Projection(projection) => {
                let names = projection.schema.columns();
                names.iter().zip(&projection.expr).map(|(name, expr)| sized(name.flat_name(), expr)).collect()
            }
            LogicalPlan::Aggregate(aggregate) => {
                let exprs = aggregate.group_expr.iter();
                exprs.map(|expr| sized(expr.schema_name().to_string(), expr)).collect()
            }
            _ => HashMap::new(),
        })
    }
}

fn unaliased(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => unaliased(&alias.expr),
        other => other,
    }
}

/// What a predicate gets.
#[derive(Default)]
struct Growth {
    /// Parts.
    added: usize,
    /// Those among them that it has already.
    copied: usize,
}

/// What a predicate gets on its way below nodes with these columns, one after another.
fn growth(predicate: &Expr, below: &[Columns<'_>]) -> Growth {
    let (mut growth, mut mentions) = (Growth::default(), mentions(predicate));
    for columns in below {
        let mut next: HashMap<String, usize> = HashMap::new();
        for (name, times) in mentions {
            let Some((expr, parts)) = columns.0.get(&name) else { continue };
            let more = |times: usize| times.saturating_mul(parts - 1);
            growth.added = growth.added.saturating_add(more(times));
            growth.copied = growth.copied.saturating_add(more(times - 1));
            for (inner, inner_times) in self::mentions(expr) {
                let all = next.entry(inner).or_default();
                *all = all.saturating_add(times.saturating_mul(inner_times));
            }
        }
        mentions = next;
    }
    growth
}

/// How often an expression mentions each column.
fn mentions(expr: &Expr) -> HashMap<String, usize> {
    let mut all = HashMap::new();
    visit(expr, &mut |part| {
        if let Expr::Column(column) = part {
            *all.entry(column.flat_name()).or_default() += 1;
        }
    });
    all
}

fn n_parts(expr: &Expr) -> usize {
    let mut parts = 0;
    visit(expr, &mut |_| parts += 1);
    parts
}

fn visit(expr: &Expr, seen: &mut impl FnMut(&Expr)) {
    let walked = expr.apply(|part| {
        seen(part);
        Ok(TreeNodeRecursion::Continue)
    });
    debug_assert!(walked.is_ok());
}
