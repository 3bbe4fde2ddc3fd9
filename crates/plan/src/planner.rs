//! The one way from a question to its secure plan.

use datafusion::common::DataFusionError;
use datafusion::logical_expr::LogicalPlan;

use crate::catalog::{Fact, PublicCatalog};
use crate::common::compute_once;
use crate::context::session_state;
use crate::copies;
use crate::disclose::disclosures;
use crate::error::PlanError;
use crate::locate::Locator;
use crate::logical::logical_plan;
use crate::lower::Lowering;
use crate::policy;
use crate::rewrite::Kept;
use crate::secure::{Node, Op, OutputColumn, SecurePlan, Security};
use crate::types::Type;

/// Part of every digest: parties with different planners disagree before they
/// share anything.
pub const PLANNER_VERSION: &str = concat!("junto-plan ", env!("CARGO_PKG_VERSION"), " datafusion 55.2");
/// DataFusion walks expressions on the stack; a question as long as allowed
/// has room in this.
const STACK_BYTES: usize = 1 << 30;

/// All that a plan depends on.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The question: one SELECT.
    pub sql: &'a str,
    /// What is public about the tables; its parties in the session's order.
    pub catalog: &'a PublicCatalog,
    /// The party that learns the answer.
    pub asker: &'a str,
    /// The parties that compute, in order.
    pub compute: &'a [String],
    /// Against whom the run has to hold.
    pub security: Security,
}

/// Plans a question. The same request gives the same plan, everywhere.
///
/// # Errors
/// `PlanError`, naming what is wrong or refused and where it stands.
pub fn plan(request: Request<'_>) -> Result<SecurePlan, PlanError> {
    std::thread::scope(|scope| {
        let planner = std::thread::Builder::new().name("planner".to_owned()).stack_size(STACK_BYTES);
        let handle = planner.spawn_scoped(scope, || {
            plan_here(request).map_err(|error| match untyped(&request) {
                Some(hint) => error.with_hint(&hint),
                None => error,
            })
        });
        let handle = handle
            .map_err(|error| PlanError::Planner { reason: format!("no thread to plan on: {error}") })?;
        // A panic of DataFusion's on strange SQL must not take the party down.
        handle.join().unwrap_or_else(|_| {
            Err(PlanError::Planner { reason: "the planner failed on this question".to_owned() })
        })
    })
}

/// What to do about the columns that the question names and that have no value: they pass for text.
fn untyped(request: &Request<'_>) -> Option<String> {
    let locator = Locator::new(request.sql);
    let tables =
        request.catalog.parties.iter().flat_map(|party| party.tables.iter().map(move |t| (party, t)));
    let columns = tables.flat_map(|(party, table)| {
        table.columns.iter().map(move |column| (&party.name, &table.name, column))
    });
    let untyped = columns.filter(|(_, table, column)| {
        let empty = column.string_width.as_ref().is_some_and(|width| *width == Fact::inferred(0));
        let guessed = column.ty == Fact::inferred(Type::Utf8);
        guessed && empty && locator.name(&column.name).is_some() && locator.name(table).is_some()
    });
    let untyped = untyped.map(|(party, table, column)| format!("`{party}.{table}.{}`", column.name));
    let untyped = untyped.collect::<Vec<_>>();
    let hint =
        "no value that would tell its type, and passes for text: let its owner declare one in catalog.toml";
    (!untyped.is_empty()).then(|| format!("{} has {hint}", untyped.join(" or ")))
}

fn plan_here(request: Request<'_>) -> Result<SecurePlan, PlanError> {
    let Request { sql, catalog, asker, compute, security } = request;
    catalog.check()?;
    let party = |name: &str| {
        catalog
            .party_index(name)
            .ok_or_else(|| PlanError::Parties { reason: format!("there is no party `{name}`") })
    };
    let asker = party(asker)?;
    let compute = compute.iter().map(|name| party(name)).collect::<Result<Vec<_>, _>>()?;
    if let Some(twice) = (1..compute.len()).find(|index| compute[..*index].contains(&compute[*index])) {
        let name = &catalog.parties[compute[twice]].name;
        return Err(PlanError::Parties { reason: format!("`{name}` computes twice") });
    }
    let locator = Locator::new(sql);
    let state = policy::planning_state(session_state(), catalog, asker);
    let logical = logical_plan(sql, catalog, &state, &locator)?;
    let policy::Enforced { plan: logical, permissions, counted } =
        policy::enforce(logical, catalog, asker, &locator)?;
    let lowering = Lowering { catalog, locator: &locator, cut_doubles: false };
    type Rule<'a> = fn(&Lowering<'a>, LogicalPlan) -> Result<LogicalPlan, PlanError>;
    let rules: [(&str, Rule<'_>); 5] = [
        ("aggregate_at_owners", Lowering::aggregate_at_owners),
        ("order_joins", Lowering::order_joins),
        ("look_up_dependents", Lowering::look_up_dependents),
        ("uncast", Lowering::uncast),
        ("push_expressions", Lowering::push_expressions),
    ];
    let planner = |error: DataFusionError| PlanError::Planner { reason: error.strip_backtrace() };
    let mut logical = copies::keep(logical).map_err(planner)?;
    for (name, rule) in rules {
        let kept = Kept::of(&logical)?;
        logical = rule(&lowering, logical)?;
        kept.check(name, &logical)?;
    }
    let cut = || Lowering { cut_doubles: true, ..lowering }.lower(&logical);
    let mut root = lowering.lower(&logical).or_else(|_| cut())?;
    policy::refuse_failures(&lowering, &root, &counted)?;
    compute_once(&mut root);
    let output = root.schema.iter().map(|field| OutputColumn {
        name: field.name.clone(),
        ty: field.ty,
        nullable: field.nullable,
    });
    let mut plan = SecurePlan {
        sql: sql.to_owned(),
        parties: catalog.parties.iter().map(|party| party.name.clone()).collect(),
        asker,
        compute,
        security,
        output: output.collect(),
        ordered: is_ordered(&root),
        root,
        disclosures: Vec::new(),
        permissions: policy::of_whole_tables(catalog, asker, &locator, permissions),
        digest: [0; 32],
    };
    plan.disclosures = disclosures(&plan, catalog, &locator);
    plan.digest = digest(&plan, catalog);
    Ok(plan)
}

/// Whether the rows of the answer come in an order.
fn is_ordered(node: &Node) -> bool {
    match &node.op {
        Op::Sort { .. } => true,
        Op::Project { .. } | Op::Limit { .. } => is_ordered(&node.inputs[0]),
        Op::LocalStage(stage) => logical_is_ordered(&stage.logical),
        _ => false,
    }
}

fn logical_is_ordered(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Sort(_) => true,
        LogicalPlan::Projection(projection) => logical_is_ordered(&projection.input),
        LogicalPlan::Limit(limit) => logical_is_ordered(&limit.input),
        LogicalPlan::SubqueryAlias(alias) => logical_is_ordered(&alias.input),
        _ => false,
    }
}

/// The hash of all that went in and of the plan that came out.
fn digest(plan: &SecurePlan, catalog: &PublicCatalog) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("junto 2026 secure plan v1");
    let mut part = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    part(PLANNER_VERSION.as_bytes());
    part(plan.sql.trim().as_bytes());
    part(&catalog.digest());
    part(&(plan.asker as u64).to_le_bytes());
    for party in &plan.compute {
        part(&(*party as u64).to_le_bytes());
    }
    part(plan.security.name().as_bytes());
    for node in plan.root.nodes() {
        // The whole node but its inputs, which are parts of their own.
        let (op, local) = match &node.op {
            Op::LocalStage(stage) => {
                let op = format!("{} {} {:?}", stage.party, stage.name, stage.unique_keys);
                let op = if stage.told.is_hidden() { op } else { format!("{op} {:?}", stage.told) };
                (op, stage.logical.display_indent_schema().to_string())
            }
            op => (format!("{op:?}"), String::new()),
        };
        part(format!("{} {} {:?} {}", node.id, node.inputs.len(), node.place, node.row_bound).as_bytes());
        part(op.as_bytes());
        part(local.as_bytes());
        part(format!("{:?}", node.schema).as_bytes());
    }
    part(format!("{:?}", plan.disclosures).as_bytes());
    part(format!("{:?}", plan.permissions).as_bytes());
    *hasher.finalize().as_bytes()
}
