//! How joins find their matches, in which order they come, and which are refused.

mod common;

use plan::PlanError;
use plan::secure::{Join, JoinKind, Matching, Node, Op, Place, SecurePlan, Side};

fn joins(plan: &SecurePlan) -> Vec<(&Node, &Join)> {
    let of = |node| match &Node::nodes(node)[0].op {
        Op::Join(join) => Some((node, join)),
        _ => None,
    };
    plan.root.nodes().into_iter().filter_map(of).collect()
}

fn only(sql: &str) -> (JoinKind, Matching, u64) {
    let plan = common::ask(&common::shops(), sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let [(node, join)] = joins(&plan)[..] else { panic!("{sql}: one join") };
    (join.kind, join.matching, node.row_bound)
}

fn refused(sql: &str) -> String {
    match common::ask(&common::shops(), sql) {
        Err(error @ (PlanError::Unsupported { .. } | PlanError::ManyToMany { .. })) => error.to_string(),
        Err(error) => panic!("{sql}: {error}"),
        Ok(plan) => panic!("{sql}: it has a plan of {} nodes", plan.root.nodes().len()),
    }
}

#[test]
fn keys_that_repeat_a_known_number_of_times_are_expanded() {
    let from = "FROM telecom.lines l JOIN bank.payments p ON l.customer_id = p.customer_id";
    // 5000 payments, each of a customer with three lines at most.
    let expand = Matching::Expand { at_most: 15_000 };
    assert_eq!(only(&format!("SELECT l.number, p.cents {from}")), (JoinKind::Inner, expand, 15_000));
    let left = from.replace("JOIN", "LEFT JOIN");
    assert_eq!(only(&format!("SELECT l.number, p.cents {left}")), (JoinKind::Left, expand, 16_500));
    let full = from.replace("JOIN", "FULL JOIN");
    assert_eq!(only(&format!("SELECT l.number, p.cents {full}")), (JoinKind::Full, expand, 21_500));
    let plan = common::ask(&common::shops(), &format!("SELECT l.number, p.cents {from}")).unwrap();
    let failing: Vec<_> = plan.root.nodes().into_iter().filter(|node| node.can_fail()).collect();
    assert_eq!(failing.len(), 1, "that there are more pairs is an error that the plan tells of");
}

#[test]
fn small_sides_are_compared_row_by_row() {
    let segments = "(SELECT segment, COUNT(*) AS n FROM bank.accounts GROUP BY segment LIMIT 5) s";
    let (kind, matching, bound) =
        only(&format!("SELECT u.minutes, s.n FROM telecom.usage u JOIN {segments} ON u.minutes > s.n"));
    assert_eq!((kind, matching, bound), (JoinKind::Inner, Matching::Pairs, 10_000));
    let (kind, matching, bound) =
        only(&format!("SELECT u.minutes, s.n FROM telecom.usage u LEFT JOIN {segments} ON u.minutes > s.n"));
    assert_eq!((kind, matching, bound), (JoinKind::Left, Matching::Pairs, 12_000));
}

#[test]
fn one_row_goes_beside_every_other() {
    let (kind, matching, bound) = only(
        "SELECT u.minutes FROM telecom.usage u WHERE u.minutes > (SELECT MAX(customer_id) FROM bank.accounts)",
    );
    assert_eq!((kind, bound), (JoinKind::Inner, 2000));
    assert!(matches!(matching, Matching::Lookup { unique_side: Side::Right, .. }));
}

#[test]
fn whether_there_is_a_match_needs_no_unique_side() {
    for (word, kind) in [("IN", JoinKind::Semi), ("NOT IN", JoinKind::Anti)] {
        let found = only(&format!(
            "SELECT u.minutes FROM telecom.usage u WHERE u.customer_id {word} (SELECT customer_id FROM bank.payments)"
        ));
        assert_eq!(found, (kind, Matching::Member, 2000));
    }
    let (kind, matching, _) = only(
        "SELECT u.minutes FROM telecom.usage u WHERE u.month = 1 OR EXISTS \
         (SELECT 1 FROM bank.payments p WHERE p.customer_id = u.customer_id)",
    );
    assert_eq!((kind, matching), (JoinKind::Mark, Matching::Member));
    // The owner's greatest payment of each customer decides.
    let (kind, matching, bound) = only(
        "SELECT u.minutes FROM telecom.usage u WHERE EXISTS \
         (SELECT 1 FROM bank.payments p WHERE p.customer_id = u.customer_id AND p.cents > u.minutes)",
    );
    assert_eq!((kind, bound), (JoinKind::Semi, 2000));
    assert!(matches!(matching, Matching::Lookup { unique_side: Side::Right, .. }));
}

#[test]
fn joins_without_a_public_bound_are_refused() {
    let words = refused(
        "SELECT o.item, p.cents FROM retailer.orders o JOIN bank.payments p ON o.customer_id = p.customer_id",
    );
    for part in ["many-to-many", "20000000 pairs of rows", "matches_per_key", "group one side by the key"] {
        assert!(words.contains(part), "{words}");
    }
    let words = refused("SELECT o.item FROM retailer.orders o JOIN bank.payments p ON o.amount < p.cents");
    assert!(words.contains("20000000 pairs of rows"), "{words}");
    let words = refused(
        "SELECT a.segment FROM bank.accounts a WHERE a.active OR a.segment NOT IN (SELECT plan FROM telecom.usage)",
    );
    assert!(words.contains("beside OR"), "{words}");
    let words = refused("SELECT (SELECT segment FROM bank.accounts) FROM telecom.usage");
    assert!(words.contains("may have several rows"), "{words}");
}

#[test]
fn what_one_party_holds_is_joined_there() {
    // The question goes from the parts through line items to the suppliers, all of one party but those.
    let sql = "SELECT n_name, SUM(l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity) AS amount \
               FROM c.part, c.supplier, b.lineitem, c.partsupp, a.orders, a.nation \
               WHERE s_suppkey = l_suppkey AND ps_suppkey = l_suppkey AND ps_partkey = l_partkey \
               AND p_partkey = l_partkey AND o_orderkey = l_orderkey AND s_nationkey = n_nationkey \
               AND p_name LIKE '%green%' GROUP BY n_name";
    let plan = common::ask(&common::tpch(), sql).unwrap();
    let n_stages = plan.root.nodes().iter().filter(|node| matches!(node.place, Place::Local(_))).count();
    assert_eq!((joins(&plan).len(), n_stages), (3, 4), "{}", plan.explain(&Default::default()));
    assert!(joins(&plan).iter().all(|(_, join)| matches!(join.matching, Matching::Lookup { .. })));
}
