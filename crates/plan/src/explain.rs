//! The plan as people and programs read it: a tree of operators with place,
//! bound and cost, estimated and measured, then what each party learns.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::secure::{
    Agg, Join, Matching, Node, NullKeys, Op, Overflow, Place, SecurePlan, Side, SortKey, Uniqueness,
};

/// What one node costs by itself, or all of them together.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    /// Messages that wait for one another.
    pub rounds: u64,
    /// Payload bytes that each party sends.
    pub bytes_per_party: Vec<u64>,
    /// Estimated or measured time.
    pub seconds: f64,
}

/// What a plan costs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Costs {
    /// Of each node by itself, by its id; a node without an entry prints none.
    pub nodes: BTreeMap<usize, Cost>,
    /// Of opening the answer.
    pub answer: Cost,
}

/// What is shown beside a plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prices {
    /// The link that times are estimated for.
    pub link: String,
    /// What counting says.
    pub estimated: Option<Costs>,
    /// What a run took.
    pub measured: Option<Costs>,
}

impl Costs {
    /// All nodes and the answer.
    pub fn total(&self) -> Cost {
        self.nodes.values().chain([&self.answer]).fold(Cost::default(), |mut total, cost| {
            total.rounds += cost.rounds;
            total.seconds += cost.seconds;
            total.bytes_per_party.resize(total.bytes_per_party.len().max(cost.bytes_per_party.len()), 0);
            total.bytes_per_party.iter_mut().zip(&cost.bytes_per_party).for_each(|(sum, more)| *sum += more);
            total
        })
    }
}

impl Cost {
    fn text(&self) -> String {
        let bytes = self.bytes_per_party.iter().max().copied().unwrap_or(0);
        format!("rounds={} bytes/party={bytes} time={:.3}s", self.rounds, self.seconds)
    }
}

impl Prices {
    /// The estimate, and beside it what was measured.
    fn text(&self, of: impl Fn(&Costs) -> Option<&Cost>) -> String {
        let estimated = self.estimated.as_ref().and_then(&of).map(Cost::text);
        let measured = self.measured.as_ref().and_then(&of).map(|cost| format!("measured: {}", cost.text()));
        estimated.into_iter().chain(measured).collect::<Vec<_>>().join("  ")
    }

    fn json(&self, of: impl Fn(&Costs) -> Option<Cost>) -> [Json; 2] {
        [&self.estimated, &self.measured].map(|costs| json!(costs.as_ref().and_then(&of)))
    }
}

impl SecurePlan {
    /// The plan as text.
    pub fn explain(&self, prices: &Prices) -> String {
        let mut lines = Vec::new();
        self.tree(&self.root, "", "", prices, &mut lines);
        if prices.estimated.is_some() {
            lines.push(Line {
                operator: format!("The answer to {}", self.parties[self.asker]),
                place: String::new(),
                bound: format!("rows≤{}", self.root.row_bound),
                cost: prices.text(|costs| Some(&costs.answer)),
            });
        }
        let widest = |column: fn(&Line) -> &str| lines.iter().map(|line| column(line).chars().count()).max();
        let (operators, places, bounds) = (
            widest(|line| &line.operator).unwrap_or(0).min(96),
            widest(|line| &line.place).unwrap_or(0),
            widest(|line| &line.bound).unwrap_or(0),
        );
        let mut text = String::new();
        for Line { operator, place, bound, cost } in &lines {
            let line = format!("{operator:<operators$}  {place:<places$}  {bound:>bounds$}  {cost}");
            let _ = writeln!(text, "{}", line.trim_end());
        }
        if let Some(note) = self.note() {
            let _ = writeln!(text, "\n{note}");
        }
        let _ = writeln!(text, "\nWho learns what:");
        let mut last = None;
        for disclosure in &self.disclosures {
            if last != Some(&disclosure.to) {
                let _ = writeln!(text, "  {}", disclosure.to);
                last = Some(&disclosure.to);
            }
            let _ = writeln!(text, "    - {}", disclosure.learns);
        }
        let _ = writeln!(text, "\nSecurity {}: {}", self.security, self.security.meaning());
        text.push_str(&crate::policy::explain(&self.permissions));
        let _ = writeln!(text, "Plan {}", hex(&self.digest));
        text
    }

    /// The plan as JSON.
    pub fn explain_json(&self, prices: &Prices) -> Json {
        let learns = |to: String, what: String| json!({ "to": to, "learns": what });
        let says: Vec<Json> =
            self.disclosures.iter().map(|d| learns(d.to.to_string(), d.learns.to_string())).collect();
        let columns = self.output.iter().map(|column| json!({ "name": column.name, "type": column.ty }));
        let [answer, answer_measured] = prices.json(|costs| Some(costs.answer.clone()));
        let [total, total_measured] = prices.json(|costs| Some(costs.total()));
        json!({
            "sql": self.sql,
            "asker": self.parties[self.asker],
            "compute": self.compute.iter().map(|party| &self.parties[*party]).collect::<Vec<_>>(),
            "security": self.security,
            "columns": columns.collect::<Vec<_>>(),
            "ordered": self.ordered,
            "link": prices.link,
            "plan": self.node_json(&self.root, prices),
            "note": self.note(),
            "answer": { "cost": answer, "measured": answer_measured },
            "total": { "cost": total, "measured": total_measured },
            "disclosures": self.disclosures,
            "who_learns_what": says,
            "permitted": self.permissions,
            "digest": hex(&self.digest),
        })
    }

    /// What to know of the bounds, if some of them are not final.
    fn note(&self) -> Option<&'static str> {
        (!self.telling_stages().is_empty()).then_some(
            "Operators above a number of rows that is told keep the bound from before; they run with as many rows as are \
             told.",
        )
    }

    fn node_json(&self, node: &Node, prices: &Prices) -> Json {
        let [cost, measured] = prices.json(|costs| costs.nodes.get(&node.id).cloned());
        let columns = node.schema.iter().map(|field| {
            json!({
                "name": field.name,
                "type": field.ty,
                "nullable": field.nullable,
                "low": field.range.map(|range| range.low.to_string()),
                "high": field.range.map(|range| range.high.to_string()),
                "width_bytes": field.width_bytes,
            })
        });
        json!({
            "id": node.id,
            "operator": node.op.name(),
            "detail": self.detail(node),
            "place": self.place(node.place),
            "row_bound": node.row_bound,
            "reveals": reveals(node),
            "columns": columns.collect::<Vec<_>>(),
            "cost": cost,
            "measured": measured,
            "inputs": node.inputs.iter().map(|input| self.node_json(input, prices)).collect::<Vec<_>>(),
        })
    }

    fn tree(&self, node: &Node, first: &str, rest: &str, prices: &Prices, lines: &mut Vec<Line>) {
        let cost = prices.text(|costs| costs.nodes.get(&node.id));
        let (name, detail) = (node.op.name(), self.detail(node));
        lines.push(Line {
            operator: format!("{first}{name} {detail}").trim_end().to_owned(),
            place: self.place(node.place),
            bound: format!("rows≤{}", node.row_bound),
            cost: format!("reveals={} {cost}", reveals(node)).trim_end().to_owned(),
        });
        for (index, input) in node.inputs.iter().enumerate() {
            let last = index + 1 == node.inputs.len();
            let (branch, below) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            self.tree(input, &format!("{rest}{branch}"), &format!("{rest}{below}"), prices, lines);
        }
    }

    fn place(&self, place: Place) -> String {
        match place {
            Place::Local(party) => self.parties[party].clone(),
            Place::Shared => "shared".to_owned(),
            Place::Public => "public".to_owned(),
        }
    }

    /// What a node does, in the names of its columns.
    fn detail(&self, node: &Node) -> String {
        let below: Vec<Vec<String>> = node.inputs.iter().map(Node::names).collect();
        match &node.op {
            Op::LocalStage(stage) => format!("{} -> {}", stage.name, node.names().join(", ")),
            Op::Again { of, .. } => {
                format!("of {of} {}", self.root.nodes().get(*of).map_or("", |node| node.op.name()))
            }
            Op::Values { rows } => format!("{} constant rows", rows.len()),
            Op::Filter { predicate } | Op::Suppress { predicate, .. } => {
                predicate.display(&below[0]).to_string()
            }
            Op::Project { exprs } => {
                let named = exprs.iter().zip(&node.schema).map(|(expr, field)| {
                    let text = expr.display(&below[0]).to_string();
                    if text == field.name { text } else { format!("{text} AS {}", field.name) }
                });
                named.collect::<Vec<_>>().join(", ")
            }
            Op::Join(join) => join_detail(join, &below),
            Op::Aggregate { group, aggs } => {
                let keys: Vec<&str> = group.iter().map(|column| below[0][*column].as_str()).collect();
                let calls = aggs.iter().map(|agg| call(agg, &below[0]));
                format!("keys=[{}] {}", keys.join(", "), calls.collect::<Vec<_>>().join(", "))
            }
            Op::Window { partition, order, calls } => {
                let names: Vec<&str> = partition.iter().map(|column| below[0][*column].as_str()).collect();
                let order: Vec<String> = order.iter().map(|key| sort_key(key, &below[0])).collect();
                let calls = calls.iter().map(|call| {
                    let argument = call.input.map_or("", |column| below[0][column].as_str());
                    let tested = if call.overflow == Overflow::Impossible { "" } else { "!" };
                    format!("{}{tested}({argument})", call.func)
                });
                let calls = calls.collect::<Vec<_>>().join(", ");
                format!("partition=[{}] order=[{}] {calls}", names.join(", "), order.join(", "))
            }
            Op::Expand { group, sets } => {
                let set = |(keep, _): &(Vec<bool>, i128)| {
                    let kept = group.iter().zip(keep).filter(|(_, keep)| **keep);
                    let kept: Vec<&str> = kept.map(|(column, _)| below[0][*column].as_str()).collect();
                    format!("({})", kept.join(", "))
                };
                format!("sets=[{}]", sets.iter().map(set).collect::<Vec<_>>().join(", "))
            }
            Op::Distinct | Op::UnionAll => String::new(),
            Op::Sort { keys, fetch } => {
                let keys: Vec<String> = keys.iter().map(|key| sort_key(key, &below[0])).collect();
                let fetch = fetch.map_or(String::new(), |fetch| format!(" fetch={fetch}"));
                format!("keys=[{}]{fetch}", keys.join(", "))
            }
            Op::Limit { skip, fetch } => {
                let fetch = fetch.map_or(String::new(), |fetch| format!(" fetch={fetch}"));
                format!("skip={skip}{fetch}")
            }
        }
    }
}

struct Line {
    operator: String,
    place: String,
    bound: String,
    cost: String,
}

fn join_detail(join: &Join, below: &[Vec<String>]) -> String {
    let pairs = join.left_keys.iter().zip(&join.right_keys);
    let equals = if join.nulls == NullKeys::Equal { "IS NOT DISTINCT FROM" } else { "=" };
    let mut on: Vec<String> =
        pairs.map(|(left, right)| format!("{} {equals} {}", below[0][*left], below[1][*right])).collect();
    on.extend(join.condition.as_ref().map(|condition| condition.display(&below.concat()).to_string()));
    let how = match join.matching {
        Matching::Lookup { unique_side, uniqueness } => {
            let side = if unique_side == Side::Left { "left" } else { "right" };
            let basis = match uniqueness {
                Uniqueness::Declared => "declared, checked at its owner",
                Uniqueness::Inferred => "inferred at its owner",
                Uniqueness::Construction => "by construction",
            };
            match join.left_keys.is_empty() {
                true => format!("{side} side has one row"),
                false => format!("{side} side unique: {basis}"),
            }
        }
        Matching::Member if join.nulls == NullKeys::Unknown => {
            "right side a set, in which NULL is unknown".into()
        }
        Matching::Member => "right side a set".into(),
        Matching::Expand { at_most } => format!("at most {at_most} pairs, more are an error"),
        Matching::Pairs => "every pair of rows compared".into(),
    };
    format!("{} ({how})", on.join(" AND ")).trim_start().to_owned()
}

fn call(agg: &Agg, below: &[String]) -> String {
    let argument = agg.input.map_or("*", |column| below[column].as_str());
    let tested = if agg.overflow == Overflow::Impossible { "" } else { "!" };
    format!("{}{tested}({argument})", agg.func.name())
}

fn sort_key(key: &SortKey, below: &[String]) -> String {
    let order = if key.descending { "desc" } else { "asc" };
    let nulls = if key.nulls_first { " nulls first" } else { "" };
    format!("{} {order}{nulls}", below[key.column])
}

/// What running a node lets people see beside the plan's disclosures.
fn reveals(node: &Node) -> &'static str {
    match &node.op {
        Op::LocalStage(stage) if !stage.told.is_hidden() => "its running time and number of rows",
        Op::LocalStage(_) => "its running time",
        _ if node.can_fail() => "an error code",
        _ => "nothing",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
