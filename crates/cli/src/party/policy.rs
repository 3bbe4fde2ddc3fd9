//! A party's own policy: what it insists on, whatever others say.

use plan::catalog::{Fact, PartyCatalog, PublicCatalog};
use plan::policy::{Policy, TableRules};

/// Allows nothing of the tables that no policy is written for: what a party does that answers others.
/// Beside what a question needs to be refused, nothing is told of such a table either.
pub(super) fn close(catalog: &mut PartyCatalog) {
    for table in catalog.tables.iter_mut().filter(|table| table.policy.is_unstated()) {
        table.policy = Policy::Rules(TableRules::default());
        if table.row_bound.is_inferred() {
            table.row_bound = Fact::declared(1);
        }
        for column in &mut table.columns {
            if column.nullable.is_inferred() {
                column.nullable = Fact::declared(true);
            }
            column.range.take_if(|fact| fact.is_inferred());
            column.string_width.take_if(|fact| fact.is_inferred());
            column.distinct.take_if(|fact| fact.is_inferred());
        }
        table.unique_keys.retain(|fact| !fact.is_inferred());
        table.matches_per_key.retain(|fact| !fact.is_inferred());
    }
}

/// That the catalog of all holds what this party says of its own tables, its policies among it.
///
/// # Errors
/// A sentence, if somebody says otherwise.
pub(super) fn insist(catalog: &PublicCatalog, mine: &PartyCatalog) -> Result<(), String> {
    match catalog.parties.iter().find(|party| party.name == mine.name) {
        Some(party) if party == mine => Ok(()),
        _ => Err(format!("the catalog of all does not say what {} says of its own tables", mine.name)),
    }
}

#[cfg(test)]
mod tests {
    use plan::catalog::{Column, Table};
    use plan::policy::RowCount;
    use plan::types::{Range, Type};

    use super::*;

    fn catalog(policy: Policy) -> PartyCatalog {
        let column = Column {
            name: "a".to_owned(),
            ty: Fact::inferred(Type::Int64),
            nullable: Fact::inferred(false),
            range: Some(Fact::inferred(Range::new(17, 18))),
            string_width: None,
            distinct: None,
        };
        let table = Table {
            name: "t".to_owned(),
            row_bound: Fact::inferred(12_345),
            columns: vec![column],
            unique_keys: vec![Fact::inferred(vec!["a".to_owned()])],
            matches_per_key: Vec::new(),
            local_rows: RowCount::Hidden,
            policy,
        };
        PartyCatalog { name: "bank".to_owned(), tables: vec![table] }
    }

    #[test]
    fn a_table_without_a_policy_is_closed_and_nothing_of_its_rows_is_told() {
        let mut closed = catalog(Policy::Unstated);
        close(&mut closed);
        let text = serde_json::to_string(&closed).expect("a catalog is JSON");
        assert!(["12345", "17", "18", "unique"].iter().all(|fact| !text.contains(fact)), "{text}");
        assert_eq!(closed.tables[0].policy, Policy::Rules(TableRules::default()));
        let mut open = catalog(Policy::Open);
        close(&mut open);
        assert_eq!(open, catalog(Policy::Open));
    }

    #[test]
    fn nobody_else_says_what_ones_own_policy_is() {
        let mine = catalog(Policy::Rules(TableRules::default()));
        let all = |bank| PublicCatalog { parties: vec![bank] };
        assert!(insist(&all(mine.clone()), &mine).is_ok());
        assert!(insist(&all(catalog(Policy::Open)), &mine).is_err());
        assert!(insist(&PublicCatalog { parties: Vec::new() }, &mine).is_err());
    }
}
