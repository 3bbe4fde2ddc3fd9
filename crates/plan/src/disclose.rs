//! Adds up what a plan lets each party learn.

use crate::catalog::{Fact, PublicCatalog, Source, Table};
use crate::locate::Locator;
use crate::secure::{Audience, Disclosure, Learns, SecurePlan};
use crate::types::show_unscaled;

/// Everything that somebody learns from running `plan`.
pub(crate) fn disclosures(plan: &SecurePlan, catalog: &PublicCatalog, locator: &Locator) -> Vec<Disclosure> {
    let mut all = Vec::new();
    let mut add = |to: &Audience, learns: Learns| all.push(Disclosure { to: to.clone(), learns });

    let asker = Audience::Asker { party: plan.parties[plan.asker].clone() };
    let columns = plan.output.iter().map(|column| column.name.clone()).collect();
    add(&asker, Learns::Answer { columns, row_bound: plan.root.row_bound });
    let nodes = plan.root.nodes();
    let fallible: Vec<String> = nodes
        .iter()
        .filter(|node| node.can_fail())
        .map(|node| format!("{} {}", node.id, node.op.name()))
        .collect();
    if !fallible.is_empty() {
        add(&asker, Learns::ErrorCode { operators: fallible });
    }

    if let Some(told) = plan.tells_suppressed() {
        add(&asker, if told { Learns::SuppressedGroups } else { Learns::SmallGroups });
    }

    let everyone = Audience::Everyone;
    let stages = plan.local_stages();
    // The facts of tables that the question names travel, whether or not a stage reads them.
    let all_tables =
        catalog.parties.iter().flat_map(|party| party.tables.iter().map(move |table| (&party.name, table)));
    let tables = all_tables.filter(|(party, table)| locator.names(&[party, &table.name]));
    for (party, table) in tables {
        for (source, fact) in facts(table) {
            let (party, table) = (party.clone(), table.name.clone());
            add(
                &everyone,
                match source {
                    Source::Inferred => Learns::InferredFact { party, table, fact },
                    Source::Declared => Learns::DeclaredFact { party, table, fact },
                },
            );
        }
    }
    for (_, stage) in &stages {
        let told = stage.tables.first().filter(|_| !stage.told.is_hidden());
        if let Some(table) = told {
            let (party, table) = (plan.parties[stage.party].clone(), table.clone());
            add(&everyone, Learns::FilteredRows { party, table, told: stage.told });
        }
        let (party, stage) = (plan.parties[stage.party].clone(), stage.name.clone());
        add(&everyone, Learns::LocalRun { party, stage });
    }

    let compute: Vec<String> = plan.compute.iter().map(|party| plan.parties[*party].clone()).collect();
    if !compute.is_empty() {
        add(&Audience::EachComputeParty { parties: compute.clone() }, Learns::PlanAndShapes);
        add(&Audience::AnyTwoComputeParties { parties: compute }, Learns::AllSharedValues);
        add(&Audience::OwnerOfSharedMachine, Learns::AllSharedValues);
    }
    all
}

/// A table's facts beyond its column names, in words.
fn facts(table: &Table) -> Vec<(Source, String)> {
    let mut facts = vec![(table.row_bound.source, format!("at most {} rows", table.row_bound.value))];
    let mut gather = |source: Source, words: String| facts.push((source, words));
    for source in [Source::Declared, Source::Inferred] {
        let columns = || table.columns.iter();
        let is = |fact: Source| fact == source;
        let list = |words: Vec<String>| (!words.is_empty()).then(|| words.join(", "));
        let types = columns().filter(|c| is(c.ty.source)).map(|c| format!("{} {}", c.name, c.ty.value));
        if let Some(words) = list(types.collect()) {
            gather(source, format!("types {words}"));
        }
        let nulls = columns().filter(|c| is(c.nullable.source) && !c.nullable.value).map(|c| c.name.clone());
        if let Some(words) = list(nulls.collect()) {
            gather(source, format!("no NULL in {words}"));
        }
        let ranged = |range: &Option<Fact<_>>| range.as_ref().is_some_and(|range| is(range.source));
        let ranges = columns().filter(|c| ranged(&c.range)).map(|c| {
            let range = c.range.as_ref().expect("it has just been looked at").value;
            let (low, high) = (show_unscaled(range.low, c.ty.value), show_unscaled(range.high, c.ty.value));
            format!("{} {low} to {high}", c.name)
        });
        if let Some(words) = list(ranges.collect()) {
            gather(source, format!("ranges {words}"));
        }
        let widths = columns().filter_map(|c| {
            let width = c.string_width.as_ref().filter(|width| is(width.source))?;
            Some(format!("{} {} bytes", c.name, width.value))
        });
        if let Some(words) = list(widths.collect()) {
            gather(source, format!("text widths {words}"));
        }
        let distinct = columns().filter_map(|c| {
            let most = c.distinct.as_ref().filter(|most| is(most.source))?;
            Some(format!("{} {}", c.name, most.value))
        });
        if let Some(words) = list(distinct.collect()) {
            gather(source, format!("at most so many different values: {words}"));
        }
    }
    for key in &table.unique_keys {
        facts.push((key.source, format!("({}) is unique", key.value.join(", "))));
    }
    for matches in &table.matches_per_key {
        let (key, most) = (matches.value.key.join(", "), matches.value.at_most);
        facts.push((matches.source, format!("at most {most} rows share one ({key})")));
    }
    facts
}
