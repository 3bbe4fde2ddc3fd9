//! GROUP BY under a policy: what may be grouped and aggregated, and how large groups have to be.
//!
//! A table whose groups have a least size of more than one gives its values to sums and counts over
//! whole groups alone. What could tell one row from the others inside of a large group is refused:
//! conditions, functions that bend, rows that count more than once, weights of the asker's own,
//! several groupings at a time.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, ExprSchema};
use datafusion::logical_expr::expr::{AggregateFunction, BinaryExpr};
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, Operator};

use super::Grant;
use super::check::{Check, planner};
use super::expr::Rows;
use super::flow::{Choice, Flow, Origin, Presence, Shape, Source, TableId};
use super::suppress::{self, Group, Least};
use crate::checked::type_of;
use crate::error::PlanError;

/// Products of two columns, as of a price and an amount, and no more: polynomials of a high degree
/// single out values.
const MAX_DEGREE: u32 = 2;
/// The expression inside of casts, which is NULL where they are.
fn uncast(expr: &Expr) -> &Expr {
    match expr {
        Expr::Cast(cast) => uncast(&cast.expr),
        other => other,
    }
}

/// The one column that an expression is NULL with, if it is arithmetic on that and constants.
fn null_with(expr: &Expr) -> &Expr {
    let constant = |expr: &Expr| matches!(expr, Expr::Literal(value, _) if !value.is_null());
    let either = |left: &'_ Expr, right: &'_ Expr| match (constant(left), constant(right)) {
        (false, true) => Some(true),
        (true, false) => Some(false),
        _ => None,
    };
    match uncast(expr) {
        Expr::Negative(inside) => null_with(inside),
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::Plus | Operator::Minus | Operator::Multiply,
            right,
        }) => match either(left, right) {
            Some(first) => null_with(if first { left } else { right }),
            None => expr,
        },
        Expr::ScalarFunction(call) => match (call.name(), call.args.as_slice()) {
            ("checked_neg", [inside]) => null_with(inside),
            ("checked_add" | "checked_sub" | "checked_mul", [left, right]) => match either(left, right) {
                Some(first) => null_with(if first { left } else { right }),
                None => expr,
            },
            _ => expr,
        },
        other => other,
    }
}

/// Functions in which every row of a group counts alike.
fn is_of_all_rows(name: &str) -> bool {
    matches!(name, "count" | "sum" | "avg") || is_statistic(name)
}

/// Functions that square their arguments, or multiply them.
fn is_statistic(name: &str) -> bool {
    ["stddev", "var", "covar", "corr", "regr_"].iter().any(|kind| name.starts_with(kind))
}

/// An aggregate, as the check sees it.
struct Call {
    /// As the question writes it.
    words: String,
    name: String,
    origin: Origin,
    distinct: bool,
    /// Whether it has several arguments.
    several: bool,
    /// Whether it has a FILTER or an ORDER BY of its own.
    picks: bool,
    /// Whether there are doubles among the columns of its arguments.
    doubles: bool,
    /// The argument, if rows may be left out for its NULL, and the tables without a row there.
    nullable: Option<(Expr, BTreeSet<TableId>)>,
}

/// What a question makes of the rows of one table.
struct Grouping<'a> {
    table: TableId,
    presence: &'a Presence,
    keys: &'a [Origin],
    calls: &'a [Call],
    /// Whether it groups in several ways at a time.
    several: bool,
}

impl Check<'_> {
    pub(super) fn aggregate(&mut self, aggregate: &Aggregate) -> Result<Flow, PlanError> {
        let (group_exprs, sets) = crate::lower::grouping(&aggregate.group_expr)?;
        let keys: Vec<&Expr> = group_exprs.iter().copied().filter(|_| sets.is_none()).collect();
        let keys = self.keys_of(&aggregate.input, &keys);
        let outer = std::mem::replace(&mut self.keys, keys);
        let input = self.walk(&aggregate.input);
        self.keys = outer;
        let input = input?;
        let mut keys = Vec::with_capacity(group_exprs.len());
        for expr in &group_exprs {
            keys.push(self.origin(expr, &Rows::of(&input, "GROUP BY"))?);
        }
        let mut calls = Vec::with_capacity(aggregate.aggr_expr.len());
        for expr in &aggregate.aggr_expr {
            calls.push(self.call(expr, &input)?);
        }
        let mut safe = BTreeSet::new();
        let mut least = Vec::new();
        for (table, presence) in &input.tables {
            let deciding = presence.keys.union(&presence.filters).map(|column| (*table, *column));
            let deciding: Vec<Source> = if self.protects(*table) { deciding.collect() } else { Vec::new() };
            let used: BTreeSet<Source> = keys
                .iter()
                .chain(calls.iter().map(|call| &call.origin))
                .flat_map(Origin::all)
                .filter(|source| source.0 == *table)
                .collect();
            let revealed = |source: &Source| self.rules(*table).allows(self.column(*source), Grant::Reveal);
            if !used.is_empty() && used.iter().chain(&deciding).all(revealed) {
                // What may come out row by row may come out in any function of the rows.
                for source in used {
                    self.require(source, Grant::Reveal, "GROUP BY")?;
                }
                continue;
            }
            let (keys, calls) = (keys.as_slice(), calls.as_slice());
            let several = sets.is_some();
            let grouping = Grouping { table: *table, presence, keys, calls, several };
            let at_least = self.protected(&grouping)?;
            safe.insert(*table);
            if at_least > 1 {
                self.count_entities(*table, at_least);
                let several_rows = !self.rules(*table).entity.is_empty();
                // What is joined is unique by its owner's word, which may be false.
                let repeated = presence.repeated || several_rows || !presence.keys.is_empty();
                let plain = |key: &Origin| key.is_plain() && !key.is_of_several();
                let whole = !presence.picked && keys.iter().all(plain);
                least.push(Least { table: *table, at_least, repeated, whole });
                // Of chosen rows, the number of small groups would be an answer about few.
                self.told &= whole;
            }
        }
        let n_keys = keys.len();
        let mut outputs = keys;
        outputs.extend(sets.is_some().then(|| Origin::column(self.number(), false, false)));
        for call in &calls {
            let mut origin = call.origin.clone().numbered(self.number());
            // A count says how many rows the question chose.
            origin.askers |= input.chosen.is_some();
            origin.groups.extend(&input.counted);
            outputs.push(if call.picks { origin.bent() } else { origin });
        }
        let mut origins: Vec<Origin> = outputs.iter().map(|origin| origin.grouped(&safe)).collect();
        for (origin, call) in origins[outputs.len() - calls.len()..].iter_mut().zip(&calls) {
            // A group has a row, and without keys there is one without any.
            let of_some = n_keys > 0 && sets.is_none() && call.nullable.is_none() && !call.picks;
            let never = of_some && matches!(call.name.as_str(), "sum" | "avg" | "min" | "max");
            origin.nullable = call.name != "count" && !never;
        }
        let mut counted = input.counted.clone();
        counted.extend(&safe);
        if n_keys == 0 {
            counted.clear();
        }
        let is_open = |(table, _): &(&TableId, &Presence)| !safe.contains(*table);
        let open = input.tables.iter().filter(is_open).map(|(table, presence)| {
            (*table, Presence { repeated: true, uncountable: true, ..presence.clone() })
        });
        let tables = open.collect();
        let unique = if sets.is_some() { Vec::new() } else { vec![(0..n_keys).collect()] };
        let mut nullable: Vec<(Expr, BTreeSet<TableId>)> = Vec::new();
        for argument in calls.iter().filter_map(|call| call.nullable.as_ref()) {
            if !nullable.contains(argument) {
                nullable.push(argument.clone());
            }
        }
        if let (Some(Least { table, .. }), [_, second, ..]) = (least.first(), &nullable[..]) {
            let reason = "each of several columns leaves out rows of its own, and the difference could be one row; \
                          declare them as never NULL, or ask for one at a time";
            let words = second.0.human_display().to_string();
            return Err(self.forbidden_by_table(*table, &words, reason, "min_group = 1"));
        }
        let alike = nullable.len() == 1 && calls.iter().all(|call| call.nullable.is_some());
        let plan = match &self.carry {
            None => LogicalPlan::Aggregate(aggregate.clone()),
            Some(_) => {
                let group = Group { least, nullable, rests: !alike, told: self.told };
                suppress::grouped(aggregate, &input, &group)?
            }
        };
        let lines = origins.iter().take(1).filter(|_| n_keys == 1 && sets.is_none());
        let lines = lines.flat_map(|key: &Origin| key.roots.iter().map(|root| (*root, false))).collect();
        Ok(Flow {
            plan,
            origins,
            tables,
            counted,
            unique,
            lines,
            chosen: input.chosen,
            parties: input.parties,
        })
    }

    /// The columns by which a table is grouped, where nothing but conditions stands between: what decides
    /// by them alone leaves whole groups out, as HAVING does.
    fn keys_of(&self, input: &LogicalPlan, keys: &[&Expr]) -> BTreeSet<Source> {
        let mut node = input;
        let scan = loop {
            node = match node {
                LogicalPlan::Filter(filter) => &filter.input,
                LogicalPlan::SubqueryAlias(alias) => &alias.input,
                LogicalPlan::TableScan(scan) if scan.fetch.is_none() => break scan,
                _ => return BTreeSet::new(),
            };
        };
        let Some(id) = self.scanned(scan) else { return BTreeSet::new() };
        let column = |key: &&Expr| match key {
            Expr::Column(column) => Some((id, self.table(id).column_index(column.name())?)),
            _ => None,
        };
        keys.iter().filter_map(column).collect()
    }

    fn call(&mut self, expr: &Expr, input: &Flow) -> Result<Call, PlanError> {
        let function = match expr {
            Expr::Alias(alias) => return self.call(&alias.expr, input),
            Expr::AggregateFunction(function) => function,
            other => {
                let construct = format!("the aggregate {}", other.human_display());
                return Err(PlanError::unsupported(construct, "no policy speaks of it"));
            }
        };
        let AggregateFunction { func, params } = function;
        let words = expr.human_display().to_string();
        let rows = &Rows::of(input, &words);
        let mut origin = Origin::constant();
        let (mut nullable, mut doubles) = (None, false);
        for argument in &params.args {
            let next = self.origin(argument, rows)?;
            if next.nullable && !argument.column_refs().is_empty() {
                nullable = Some((null_with(argument).clone(), next.absent.clone()));
            }
            let is_double = |column: &&Column| {
                rows.schema.field_from_column(column).is_ok_and(|f| f.data_type().is_floating())
            };
            doubles |= argument.column_refs().iter().any(is_double);
            // These compute with doubles.
            let ty = type_of(argument, rows.schema).map_err(planner)?;
            let exact =
                !is_statistic(func.name()) || ty.is_floating() || next.is_exact_as(&ty, &DataType::Float64);
            let next = if exact { next } else { next.bent() };
            let shape = origin.shape.beside(next.shape);
            origin = origin.with(&next, shape);
        }
        let order: Vec<&Expr> = params.order_by.iter().map(|key| &key.expr).collect();
        let picking: Vec<&Expr> = params.filter.as_deref().into_iter().chain(order).collect();
        let picks = !picking.is_empty();
        if picks {
            let decided = self.condition(&picking, rows)?;
            let shape = origin.shape;
            origin = origin.with(&decided, shape);
        }
        let (name, several, distinct) = (func.name().to_owned(), params.args.len() > 1, params.distinct);
        Ok(Call { name, origin, distinct, several, picks, doubles, nullable, words })
    }

    /// The least size of the table's groups, if all that is made of them is allowed.
    fn protected(&mut self, grouping: &Grouping<'_>) -> Result<u64, PlanError> {
        let Grouping { table, presence, keys, calls, .. } = *grouping;
        for key in keys {
            for source in key.values_of(table) {
                self.require(source, Grant::Group, "GROUP BY")?;
            }
        }
        let mut aggregated = BTreeSet::new();
        for call in calls {
            let grants: &[Grant] = match is_of_all_rows(&call.name) {
                true if self.counts_alone(call, grouping) => &[Grant::Aggregate, Grant::Group, Grant::Reveal],
                true => &[Grant::Aggregate, Grant::Reveal],
                // One of the values comes out as it is.
                false => &[Grant::Reveal],
            };
            if !self.counts_rows(call, table) {
                for source in call.origin.values_of(table) {
                    self.require_any(source, grants, &call.words)?;
                }
            }
            aggregated.extend(call.origin.all().into_iter().filter(|source| source.0 == table));
        }
        // What decides which rows a group has says as much of few as what is summed.
        let own = keys.iter().flat_map(Origin::all).filter(|source| source.0 == table);
        let deciding = presence.filters.union(&presence.keys).map(|column| (table, *column));
        aggregated.extend(own.chain(deciding));
        let names: Vec<&str> = aggregated.iter().map(|source| self.column(*source)).collect();
        let Some(at_least) = self.rules(table).min_group(&names) else {
            let reason = "a group says that there are rows, and the policy names no least size of groups";
            return Err(self.forbidden_by_table(table, "GROUP BY or an aggregate", reason, "min_group = 10"));
        };
        self.permit(table, None, "groups", format!("min_group = {at_least}"));
        if at_least > 1 {
            self.whole_groups(grouping)?;
        }
        Ok(at_least)
    }

    /// Whether a count says nothing of its argument: of what is never NULL the rows are counted, and of
    /// whom the rows are about the entities, which every group counts.
    fn counts_rows(&self, call: &Call, table: TableId) -> bool {
        let rows = !call.distinct && call.nullable.is_none();
        call.name == "count"
            && !call.picks
            && call.origin.is_plain()
            && (rows || self.counts_entities(call, table))
    }

    fn counts_entities(&self, call: &Call, table: TableId) -> bool {
        let [source] = call.origin.values_of(table)[..] else { return false };
        let name = self.column(source);
        let of_all = match self.rules(table).entity.as_slice() {
            [] => self.table(table).unique_keys.iter().any(|key| key.value == [name]),
            [entity] => entity == name,
            _ => false,
        };
        // Through a union, another row may hold the same.
        call.name == "count" && call.distinct && call.origin.is_plain() && !call.origin.askers && of_all
    }

    /// Whether a count says no more of a column than its groups do: how many rows are NULL in it, and of
    /// a whole table how many groups there are, which suppression tells as well.
    fn counts_alone(&self, call: &Call, grouping: &Grouping<'_>) -> bool {
        let whole = grouping.keys.is_empty() && !grouping.presence.picked && !call.origin.askers;
        call.name == "count" && !call.picks && call.origin.is_plain() && (!call.distinct || whole)
    }

    /// That nothing tells one row of a group from its others.
    fn whole_groups(&mut self, grouping: &Grouping<'_>) -> Result<(), PlanError> {
        let Grouping { table, presence, keys, calls, several } = *grouping;
        let open = "min_group = 1, which lifts what protects all groups of the table; rather write the question otherwise";
        let refuse = |check: &Self, operator: &str, reason: &str| {
            Err(check.forbidden_by_table(table, operator, reason, open))
        };
        if several {
            let reason = "totals over small groups would give away what is suppressed; ask for one grouping alone, \
                 and for a total of the groups that come out, as in SUM(SUM(x)) OVER ()";
            return refuse(self, "GROUPING SETS, ROLLUP or CUBE", reason);
        }
        if presence.uncountable {
            let reason = "behind it nobody can count whom a group is about; join by a key that is unique in this \
                          table, or JOIN it and count with COUNT(DISTINCT …) whom its rows are about";
            return refuse(self, "EXISTS, IN, NOT IN or a nested GROUP BY", reason);
        }
        if let Some(choice) = presence.weighed {
            let (operator, reason) = match choice {
                Choice::Rows => (
                    "JOIN",
                    "rows that the asker has or may read, constants or a union match a row as often as the question says; declare \
                     there a unique key and join it ahead of others, or group them by the key first",
                ),
                Choice::Condition => (
                    "a condition",
                    "over several columns, or over one that is unique there, it leaves rows that match one of this table as \
                     often as the question says; ask of each column in a condition of its own, of a unique one by a range, or \
                     group those rows by the key first",
                ),
                Choice::Keys => (
                    "JOIN",
                    "by several columns of rows that match one of this table, or by one that is unique there, rows that the \
                     question brings leave as many as it says; join them by one column of those rows, or by columns of this \
                     table",
                ),
                Choice::Join => (
                    "JOIN",
                    "rows behind an outer join, or behind one by anything but equal columns, match a row as often as the \
                     question says; join this table ahead of it, by columns as they are, or group those rows by the key \
                     first",
                ),
            };
            return refuse(self, operator, reason);
        }
        if presence.ranked {
            let reason = "what it says of one row, or whether the row is left, hangs on single others; group first, and \
                          look at the groups in an order";
            return refuse(self, "a window function or LIMIT", reason);
        }
        if presence.torn || keys.iter().any(|key| presence.tears(table, key)) {
            let reason = "somebody may have several rows, of which it takes some by several columns; ask of each column in a \
                          condition of its own, joined by AND, and join by whom a row is about";
            return refuse(self, "a condition", reason);
        }
        if keys.iter().any(|key| presence.picks(table, key)) {
            let reason = "over several columns of rows that match one of this table several times, or over one that is unique \
                          there, it puts somebody into as many groups as the question says; group by columns as they are";
            return refuse(self, "GROUP BY", reason);
        }
        if presence.mixed || keys.iter().any(|key| presence.mixes(table, key)) {
            let reason = "it decides together by columns of this table and of others, or by what different columns of it have \
                          found, so that known rows hide which one passed; ask of each table in a condition of its own, joined \
                          by AND, or by a key of GROUP BY of its own, join lists by equal columns, by one or by a unique \
                          key, and write what a subquery without this table gives as a constant";
            return refuse(self, "a condition or JOIN", reason);
        }
        let bent = keys.iter().filter(|key| !key.is_plain()).flat_map(Origin::all);
        let bent = bent.filter(|source| source.0 == table).map(|source| source.1);
        let deciding: BTreeSet<usize> = presence.loose.iter().copied().chain(bent).collect();
        let is_in = |call: &Call, column: usize| call.origin.values.contains(&(table, column));
        for call in calls {
            let words = call.words.as_str();
            let absent = call.nullable.as_ref().is_some_and(|(_, absent)| absent.contains(&table));
            if presence.unmatched && !absent {
                let reason = "a FULL JOIN leaves rows that match nobody here, and their number beside the others tells whether \
                              few match; count and sum columns of this table alone, or use LEFT JOIN";
                return refuse(self, words, reason);
            }
            if !is_of_all_rows(&call.name) {
                return refuse(
                    self,
                    words,
                    "it gives out the value of one row, whatever the group's size; \
                                                     ask for sums, means and deviations",
                );
            }
            let straight = match call.name.as_str() {
                "count" => call.origin.is_plain(),
                name if is_statistic(name) => call.origin.shape <= Shape::Degree(MAX_DEGREE / 2),
                _ => call.origin.shape <= Shape::Degree(MAX_DEGREE),
            };
            if call.picks || !straight || call.distinct && call.name != "count" {
                let mut reason = "it takes some of a group's rows otherwise than the rest, and the difference could be one \
                                  row's; filter all of the question in WHERE or GROUP BY the condition, and sum columns or \
                                  products of two, in whole numbers or decimals and without division: SUM(x * 0.01), or \
                                  SUM(x) / 100"
                    .to_owned();
                if call.doubles {
                    reason += "; a double is summed as it is, or where its owner declares it as a decimal, as in type = \
                               \"decimal(18,4)\", since a cast cuts digits";
                }
                return refuse(self, words, &reason);
            }
            if self.counts_rows(call, table) {
                continue;
            }
            if call.origin.few
                && call.origin.roots.len() > 1
                && (call.several || call.origin.shape > Shape::Degree(1))
            {
                let reason = "a column of two values beside another one takes some of a group's rows as a condition would; \
                              group by it, or sum each column alone";
                return refuse(self, words, reason);
            }
            if let Some(column) = deciding.iter().find(|column| call.name != "count" && is_in(call, **column))
            {
                let reason = format!(
                    "{} also decides which rows these are, and not by ranges alone, so that sums and sums of products can \
                     split a group into its values; compare it with constants by =, <, <=, >, >= or BETWEEN, in conditions \
                     of their own, or group by it as it is",
                    self.column((table, *column))
                );
                return refuse(self, words, &reason);
            }
            if call.nullable.is_some() && call.origin.parts.len() > 1 {
                let reason = "it leaves out rows in which one of several columns is NULL; declare them as never NULL, \
                              or filter in WHERE";
                return refuse(self, words, reason);
            }
            if presence.repeated && !call.origin.values_of(table).is_empty() {
                let reason = "a join repeats this table's rows, and so their values; join it to one row of each key, as \
                              SELECT DISTINCT or GROUP BY make them";
                return refuse(self, words, reason);
            }
            // Whatever else stands beside this table's values may be a weight for each of them.
            let beside = call.origin.is_mixed(table);
            if beside || call.origin.is_weighed(table) {
                if !self.rules(table).askers_values {
                    let own = call.origin.values_of(table);
                    let is_read =
                        |source: &Source| self.rules(table).allows(self.column(*source), Grant::Reveal);
                    let shared = call.origin.is_plain() && !own.iter().all(is_read);
                    let reason = match (shared, beside) {
                        (true, _) => {
                            "in rows that match, a key is the other table's as well, and what is made of it can name rows; \
                             count rows, or use columns by which nothing is joined"
                        }
                        (false, true) => {
                            "values of another table beside this one's can be weights that single out a row"
                        }
                        (false, false) => {
                            "values that the asker has or may read, or that the question counts or chooses, summed over rows that \
                             this table chooses, can be such that the sum names the rows"
                        }
                    };
                    return Err(self.forbidden_by_table(table, words, reason, "askers_values = \"allow\""));
                }
                self.permit(table, None, words, "askers_values = \"allow\"".to_owned());
            } else if call.distinct && call.origin.askers && !call.origin.values_of(table).is_empty() {
                let reason = "different values beside others that the asker has or may read say which of these are there; \
                              count those of this table alone";
                return refuse(self, words, reason);
            }
        }
        Ok(())
    }
}
