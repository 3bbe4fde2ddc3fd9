//! The check of a plan against the policies of the tables it reads: which column flows where.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::common::DataFusionError;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, Filter, Limit, LogicalPlan, Projection, Sort, SubqueryAlias, Union, Window,
};

use super::expr::{Rows, is_range};
use super::flow::{Choice, Flow, Origin, Presence, Shape, Source, TableId};
use super::suppress;
use super::{Grant, Permission, TableRules};
use crate::catalog::{PublicCatalog, Table};
use crate::error::{At, Forbidden, PlanError};
use crate::locate::Locator;
use crate::lower::Lowering;
use crate::secure::{Node, Op};

/// The plan with small groups suppressed, and what permitted each use of a table.
///
/// A table's rules are about everybody but its owner, so those of the asker's own tables do not
/// count. Tables without rules are not looked at.
///
/// # Errors
/// `Forbidden`, with the column, the operator and the smallest grant that would allow it.
pub(crate) fn enforce(
    plan: LogicalPlan,
    catalog: &PublicCatalog,
    asker: usize,
    locator: &Locator,
) -> Result<Enforced, PlanError> {
    if !is_needed(catalog, asker) {
        return Ok(Enforced { plan, permissions: Vec::new(), counted: Vec::new() });
    }
    let mut check = Check {
        catalog,
        asker,
        locator,
        permissions: BTreeSet::new(),
        scans: BTreeMap::new(),
        counted: BTreeMap::new(),
        numbers: 0,
        told: true,
        carry: None,
        revealed: BTreeSet::new(),
        keys: BTreeSet::new(),
    };
    check.note_revealed(&plan)?;
    let root = check.walk(&plan)?;
    check.answer(&root)?;
    check.read_once()?;
    let permissions = check.permissions.iter().cloned().collect();
    let counted: Vec<TableId> = check.counted.keys().copied().collect();
    if counted.is_empty() {
        return Ok(Enforced { plan, permissions, counted });
    }
    check.carry = Some(counted.iter().copied().collect());
    let plan = check.walk(&plan)?.plan;
    Ok(Enforced { plan, permissions, counted })
}

/// A plan that the policies allow.
pub(crate) struct Enforced {
    /// The plan, with small groups suppressed.
    pub(crate) plan: LogicalPlan,
    /// What permitted each use of a table.
    pub(crate) permissions: Vec<Permission>,
    /// The tables whose groups have a least size.
    pub(crate) counted: Vec<TableId>,
}

/// That nothing can fail for one row's values before the rows are in groups of a least size.
///
/// # Errors
/// `Forbidden`, naming the operator.
pub(crate) fn refuse_failures(
    lowering: &Lowering<'_>,
    root: &Node,
    counted: &[TableId],
) -> Result<(), PlanError> {
    let owned =
        |party: Option<usize>| counted.iter().find(|table| party.is_none_or(|party| party == table.0));
    let owners: Vec<usize> = counted.iter().map(|table| table.0).collect();
    let failing = lowering.fails_in_groups(root, &owners);
    let Some((node, Some(table))) = failing.map(|(node, party)| (node, owned(party))) else {
        return Ok(());
    };
    let owner = &lowering.catalog.parties[table.0];
    let name = &owner.tables[table.1].name;
    let what = format!("{}.{name}", owner.name);
    Err(Forbidden {
        owner: owner.name.clone(),
        at: At(lowering.locator.name(&what)),
        what,
        operator: format!("{} {}", node.id, node.op.name()),
        reason: match &node.op {
            Op::Join(join) if join.condition.as_ref().is_none_or(|condition| !condition.can_fail()) => {
                "a key that others declare as unique is looked up among rows that this table chose, and a failure would \
                 tell whether it repeats there; group them by the key first"
            }
            _ => {
                "it can fail for the values of a single row, by an overflow or a division by zero, and a failure is told \
                 whatever the size of the group; divide by constants, and declare the ranges of columns"
            }
        }
        .to_owned(),
        grant: format!("[{name}] min_group = 1"),
    }
    .into())
}

/// Whether somebody else than the asker has rules.
pub(super) fn is_needed(catalog: &PublicCatalog, asker: usize) -> bool {
    let others = catalog.parties.iter().enumerate().filter(|(party, _)| *party != asker);
    others.flat_map(|(_, party)| &party.tables).any(|table| table.policy.rules().is_some())
}

pub(super) fn planner(error: DataFusionError) -> PlanError {
    PlanError::Planner { reason: error.strip_backtrace() }
}

/// A check under way.
pub(super) struct Check<'a> {
    pub(super) catalog: &'a PublicCatalog,
    pub(super) asker: usize,
    locator: &'a Locator,
    permissions: BTreeSet<Permission>,
    /// How often each table with rules is read.
    pub(super) scans: BTreeMap<TableId, usize>,
    /// Tables whose entities are counted, with the largest number that they have to come to.
    pub(super) counted: BTreeMap<TableId, u64>,
    /// How many columns have a number.
    numbers: usize,
    /// Whether the number of suppressed groups is told: it is about whole tables alone.
    pub(super) told: bool,
    /// On the second walk, the tables whose entities go beside their rows.
    pub(super) carry: Option<BTreeSet<TableId>>,
    /// Tables of which revealed columns alone are read.
    pub(super) revealed: BTreeSet<TableId>,
    /// The columns by which the rows at hand are grouped above, with nothing but conditions between.
    pub(super) keys: BTreeSet<Source>,
}

impl Check<'_> {
    pub(super) fn table(&self, table: TableId) -> &Table {
        &self.catalog.parties[table.0].tables[table.1]
    }

    pub(super) fn rules(&self, table: TableId) -> &TableRules {
        self.table(table).policy.rules().expect("only tables with rules are followed")
    }

    pub(super) fn column(&self, source: Source) -> &str {
        &self.table(source.0).columns[source.1].name
    }

    /// The number of a column that is made here.
    pub(super) fn number(&mut self) -> usize {
        self.numbers += 1;
        self.numbers
    }

    fn full_name(&self, table: TableId) -> String {
        format!("{}.{}", self.catalog.parties[table.0].name, self.table(table).name)
    }

    pub(super) fn permit(&mut self, table: TableId, column: Option<&str>, used_by: &str, by: String) {
        let (table, column) = (self.full_name(table), column.map(str::to_owned));
        self.permissions.insert(Permission { table, column, used_by: used_by.to_owned(), by });
    }

    /// One of these grants on a column; the first is the smallest.
    pub(super) fn require_any(
        &mut self,
        source: Source,
        grants: &[Grant],
        operator: &str,
    ) -> Result<(), PlanError> {
        let name = self.column(source).to_owned();
        let rules = self.rules(source.0);
        let all = &[Grant::Reveal];
        let grants = if self.revealed.contains(&source.0) { all } else { grants };
        match grants.iter().find(|grant| rules.allows(&name, **grant)) {
            Some(grant) => {
                self.permit(source.0, Some(&name), operator, grant.to_string());
                Ok(())
            }
            None => {
                let mut allow: BTreeSet<Grant> =
                    rules.columns.get(&name).map_or_else(BTreeSet::new, |rules| rules.allow.clone());
                allow.insert(grants[0]);
                let allow: Vec<String> = allow.iter().map(|grant| format!("\"{grant}\"")).collect();
                let grant = format!(
                    "[{}.columns] {name} = {{ allow = [{}] }}",
                    self.table(source.0).name,
                    allow.join(", ")
                );
                let reason = format!("that takes `{}`", grants[0]);
                Err(self.forbidden(source.0, Some(&name), operator, reason, grant))
            }
        }
    }

    pub(super) fn require(&mut self, source: Source, grant: Grant, operator: &str) -> Result<(), PlanError> {
        self.require_any(source, &[grant], operator)
    }

    /// What a table as a whole has to say.
    pub(super) fn forbidden_by_table(
        &self,
        table: TableId,
        operator: &str,
        reason: impl Into<String>,
        grant: &str,
    ) -> PlanError {
        let grant = format!("[{}] {grant}", self.table(table).name);
        self.forbidden(table, None, operator, reason.into(), grant)
    }

    fn forbidden(
        &self,
        table: TableId,
        column: Option<&str>,
        operator: &str,
        reason: String,
        grant: String,
    ) -> PlanError {
        let full = self.full_name(table);
        let what = column.map_or_else(|| full.clone(), |column| format!("{full}.{column}"));
        let place = column.and_then(|column| self.locator.name(column));
        let place = place.or_else(|| self.locator.name(&full));
        let owner = self.catalog.parties[table.0].name.clone();
        Forbidden { owner, what, operator: operator.to_owned(), reason, grant, at: At(place) }.into()
    }

    /// The node with what is known of it.
    pub(super) fn walk(&mut self, plan: &LogicalPlan) -> Result<Flow, PlanError> {
        let flow = match plan {
            LogicalPlan::TableScan(scan) => self.scan(scan),
            LogicalPlan::SubqueryAlias(alias) => self.alias(plan, alias),
            LogicalPlan::Projection(projection) => self.projection(projection),
            LogicalPlan::Filter(filter) => self.filter(plan, filter),
            LogicalPlan::Sort(sort) => self.sort(plan, sort),
            LogicalPlan::Limit(limit) => self.limit(plan, limit),
            LogicalPlan::Window(window) => self.window_node(plan, window),
            LogicalPlan::Join(join) => self.join(plan, join),
            LogicalPlan::Union(union) => self.union(union),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let columns = input.schema().columns().into_iter().map(Expr::Column).collect();
                let groups = Aggregate::try_new(input.clone(), columns, Vec::new()).map_err(planner)?;
                self.aggregate(&groups)
            }
            LogicalPlan::EmptyRelation(empty) => {
                // What is one row repeats nothing, whoever wrote it.
                let unique = vec![BTreeSet::new()];
                Ok(self.constants(plan, if empty.produce_one_row { unique } else { Vec::new() }))
            }
            LogicalPlan::Values(_) => Ok(self.constants(plan, Vec::new())),
            other => {
                let line = other.display().to_string();
                let name = line.split(':').next().unwrap_or("this operator").to_owned();
                Err(PlanError::unsupported(name, "no policy speaks of it"))
            }
        }?;
        if flow.origins.len() != flow.plan.schema().fields().len() {
            let reason = "the check of the policies lost a column; this is a bug".to_owned();
            return Err(PlanError::Planner { reason });
        }
        Ok(flow)
    }

    /// The node over an input that may have further columns on the second walk.
    fn over(&self, plan: &LogicalPlan, input: Flow) -> Result<Flow, PlanError> {
        let plan = match &self.carry {
            None => plan.clone(),
            Some(_) => rebuilt(plan, vec![input.plan.clone()])?,
        };
        Ok(Flow { plan, ..input })
    }

    fn alias(&mut self, plan: &LogicalPlan, alias: &SubqueryAlias) -> Result<Flow, PlanError> {
        let input = self.walk(&alias.input)?;
        self.over(plan, input)
    }

    fn projection(&mut self, projection: &Projection) -> Result<Flow, PlanError> {
        let input = self.walk(&projection.input)?;
        let mut exprs = projection.expr.clone();
        let mut origins = Vec::with_capacity(exprs.len());
        for expr in &projection.expr {
            origins.push(self.origin(expr, &Rows::of(&input, "SELECT"))?);
        }
        let columns = input.plan.schema().columns();
        for (table, index) in input.entities() {
            exprs.push(Expr::Column(columns[index].clone()));
            origins.push(Origin { entity: Some(table), ..Origin::constant() });
        }
        let position = |index: &usize| exprs.iter().position(|expr| is_column(expr, &columns[*index]));
        let moved = |key: &BTreeSet<usize>| key.iter().map(position).collect::<Option<BTreeSet<usize>>>();
        let unique = input.unique.iter().filter_map(moved).collect();
        let plan = Projection::try_new(exprs, input.plan.clone().into()).map_err(planner)?;
        Ok(Flow { plan: LogicalPlan::Projection(plan), origins, unique, ..input })
    }

    fn filter(&mut self, plan: &LogicalPlan, filter: &Filter) -> Result<Flow, PlanError> {
        let mut input = self.walk(&filter.input)?;
        for part in split_conjunction(&filter.predicate) {
            let rows = &Rows::of(&input, "WHERE");
            let decided = self.bent(&[part], rows)?;
            // What leaves whole groups out says what HAVING would.
            let by_group = decided.values.is_subset(&self.keys);
            let grants: &[Grant] = if by_group { &[Grant::Filter, Grant::Group] } else { &[Grant::Filter] };
            let (decided, ranges) = (self.decides(decided, grants, rows)?, is_range(part, rows));
            input.decided(&decided, ranges);
        }
        self.over(plan, input)
    }

    fn sort(&mut self, plan: &LogicalPlan, sort: &Sort) -> Result<Flow, PlanError> {
        let mut input = self.walk(&sort.input)?;
        // An order tells nothing about values that come out anyway, unless it decides which do.
        let (operator, grants): (_, &[Grant]) = match sort.fetch {
            Some(_) => ("ORDER BY … LIMIT", &[Grant::Filter]),
            None => ("ORDER BY", &[Grant::Filter, Grant::Reveal]),
        };
        let mut keys = Origin::constant();
        for key in &sort.expr {
            let origin = self.origin(&key.expr, &Rows::of(&input, operator))?;
            for source in &origin.values {
                self.require_any(*source, grants, operator)?;
            }
            keys = keys.with(&origin, Shape::Bent);
        }
        input.showed(&keys, true);
        if sort.fetch.is_some() {
            input.decided(&keys, false);
            input.ranked();
        }
        let one = sort.fetch == Some(1);
        let mut flow = self.over(plan, input)?;
        flow.unique.extend(one.then(BTreeSet::new));
        Ok(flow)
    }

    fn limit(&mut self, plan: &LogicalPlan, limit: &Limit) -> Result<Flow, PlanError> {
        let mut input = self.walk(&limit.input)?;
        input.decided(&Origin::constant(), true);
        input.ranked();
        self.over(plan, input)
    }

    fn window_node(&mut self, plan: &LogicalPlan, window: &Window) -> Result<Flow, PlanError> {
        let mut input = self.walk(&window.input)?;
        input.ranked();
        let mut more = Vec::with_capacity(window.window_expr.len());
        for expr in &window.window_expr {
            more.push(self.origin(expr, &Rows::of(&input, "OVER"))?);
        }
        for origin in &more {
            // What was put in an order stays so.
            input.showed(&Origin { values: BTreeSet::new(), ..origin.clone() }, true);
        }
        let mut flow = self.over(plan, input)?;
        flow.origins.extend(more);
        Ok(flow)
    }

    fn union(&mut self, union: &Union) -> Result<Flow, PlanError> {
        let mut flows = Vec::with_capacity(union.inputs.len());
        for input in &union.inputs {
            flows.push(self.walk(input)?);
        }
        let width = union.schema.fields().len();
        let tables: BTreeSet<TableId> = flows.iter().flat_map(|flow| flow.tables.keys().copied()).collect();
        let mut origins = Vec::with_capacity(width);
        for at in 0..width {
            let parts = flows.iter().map(|flow| {
                let origin = flow.origins.iter().filter(|origin| origin.entity.is_none()).nth(at);
                (flow, origin.cloned().unwrap_or_else(Origin::constant))
            });
            let parts: Vec<(&Flow, Origin)> = parts.collect();
            // A branch's values stand in no row of another branch's tables.
            let is_apart = |table: &TableId| {
                parts
                    .iter()
                    .all(|(flow, origin)| !flow.tables.contains_key(table) || !origin.is_weighed(*table))
            };
            let apart = tables.iter().filter(|table| is_apart(table)).copied().collect();
            let mut all = parts.iter().fold(Origin::constant(), |all, (_, origin)| {
                let shape = all.shape.beside(origin.shape);
                all.with(origin, shape)
            });
            if parts.iter().all(|(_, origin)| !origin.is_of_several()) {
                all.roots.clear();
                all = all.numbered(self.number());
            }
            // The question says which branch gives a row's value, whosever they are.
            origins.push(Origin { apart, askers: true, ..all });
        }
        let plan = match &self.carry {
            Some(_) => suppress::union(union, &flows, &mut origins)?,
            None => LogicalPlan::Union(union.clone()),
        };
        let (mut all, mut counted, mut parties) =
            (BTreeMap::<TableId, Presence>::new(), BTreeSet::new(), BTreeSet::new());
        for flow in flows {
            for (table, presence) in flow.tables {
                let repeated = presence.repeated || all.contains_key(&table);
                all.entry(table).or_default().merge(Presence { picked: true, repeated, ..presence });
            }
            counted.extend(flow.counted);
            parties.extend(flow.parties);
        }
        // The question says how many branches a row is in.
        Ok(Flow {
            plan,
            origins,
            tables: all,
            counted,
            unique: Vec::new(),
            lines: BTreeMap::new(),
            chosen: Some(Choice::Rows),
            parties,
        })
    }

    pub(super) fn count_entities(&mut self, table: TableId, at_least: u64) {
        let most = self.counted.entry(table).or_default();
        *most = at_least.max(*most);
    }
}

pub(super) fn rebuilt(plan: &LogicalPlan, inputs: Vec<LogicalPlan>) -> Result<LogicalPlan, PlanError> {
    plan.with_new_exprs(plan.expressions(), inputs).and_then(LogicalPlan::recompute_schema).map_err(planner)
}

pub(super) fn is_column(expr: &Expr, column: &datafusion::common::Column) -> bool {
    match expr {
        Expr::Alias(alias) => is_column(&alias.expr, column),
        Expr::Column(this) => this == column,
        _ => false,
    }
}
