//! Questions of a few kilobytes whose plans would not fit into memory if each expression were written
//! wherever it is read: they are planned in time, or what is too much is named.

mod common;
mod policies;

use std::time::{Duration, Instant};

use plan::PlanError;
use plan::explain::Prices;
use plan::secure::{Op, SecurePlan};
use policies::rules;

/// More of what doubles at each than fits into memory.
const LEVELS: usize = 40;
/// They take less than half a second each.
const IN_TIME: Duration = Duration::from_secs(20);

const JOINED: &str = "SELECT a.customer_id AS k, u.minutes AS m, a.segment AS s FROM bank.accounts a \
                      JOIN telecom.usage u ON a.customer_id = u.customer_id";
const OWNED: &str = "SELECT customer_id AS k, minutes AS m, plan AS s FROM telecom.usage";

fn ask(sql: &str) -> Result<SecurePlan, PlanError> {
    let start = Instant::now();
    let plan = common::ask(&common::shops(), sql);
    let _ = plan.as_ref().map(|plan| plan.explain(&Prices::default()));
    assert!(start.elapsed() < IN_TIME, "{:?} for {} …", start.elapsed(), &sql[..200.min(sql.len())]);
    plan
}

fn planned(sql: &str) -> SecurePlan {
    ask(sql).unwrap_or_else(|error| panic!("{error}: {} …", &sql[..200.min(sql.len())]))
}

/// Subqueries in one another, on shares and at an owner. `@` is the one below, `#` the level's number.
fn nested(level: &str) -> [String; 2] {
    [JOINED, OWNED].map(|base| {
        let level = |below: String, at| {
            level.replace('@', &format!("({below}) t{at}")).replace('#', &format!("{at}"))
        };
        (0..LEVELS).fold(base.to_owned(), level)
    })
}

/// One expression so often in itself, from `minutes` on.
fn in_itself(expr: &str, times: usize) -> String {
    let value = (0..times)
        .fold("u.minutes".to_owned(), |inner, at| expr.replace('@', &inner).replace('#', &format!("{at}")));
    format!("SELECT {value} FROM bank.accounts a JOIN telecom.usage u ON a.customer_id = u.customer_id")
}

/// CTEs that each name the one before.
fn in_a_row(level: &str) -> String {
    let ctes = (1..=LEVELS).map(|at| format!(", c{at} AS ({})", level.replace('@', &format!("c{}", at - 1))));
    format!("WITH c0 AS ({JOINED}){} SELECT k FROM c{LEVELS}", ctes.collect::<String>())
}

#[test]
fn columns_that_levels_read_several_times_are_computed_once() {
    let levels = [
        "SELECT k, m + m - m AS m FROM @",
        "SELECT k, CASE WHEN m > # THEN m - 1 WHEN m = 3 THEN -m ELSE m / 2 END AS m FROM @",
        "SELECT k, COALESCE(NULLIF(m, #), m, m + 1) AS m FROM @",
        "SELECT k, GREATEST(m, m + 1, # - m) AS m FROM @",
        "SELECT k, concat(s, s) AS s FROM @",
        "SELECT k, SUM(m - m + 1) AS m FROM @ GROUP BY k",
        "SELECT k, SUM(m - m + 1) OVER (PARTITION BY k) AS m FROM @",
        "SELECT DISTINCT k, m + m - m AS m FROM @",
        "SELECT k, m + m - m AS m FROM @ ORDER BY m LIMIT 50",
    ];
    for sql in levels.into_iter().flat_map(nested) {
        planned(&sql);
    }
}

#[test]
fn conditions_move_below_as_far_as_they_stay_small() {
    let levels = [
        "SELECT k, m + m - m AS m FROM @ WHERE m > #",
        "SELECT k, m + m - m AS m FROM @ WHERE m > # AND k < 90 + #",
        "SELECT k + k - k AS k, MAX(m) AS m FROM @ GROUP BY k + k - k HAVING k + k - k > #",
        "SELECT k + k - k AS k, SUM(m - m + 1) OVER (PARTITION BY k) AS m FROM @ WHERE k > #",
        "SELECT k, m + m - m AS m FROM @ WHERE m > 1 UNION ALL SELECT 1, #",
    ];
    for sql in levels.into_iter().flat_map(nested) {
        planned(&sql);
    }
    let above = [
        "SELECT k, m + m - m AS m FROM @",
        "SELECT k, CASE WHEN m > # THEN m - 1 ELSE -m END AS m FROM @",
        "SELECT k, m + m - m AS m FROM @ UNION ALL SELECT 1, #",
        "SELECT k + k - k AS k, MAX(m) AS m FROM @ GROUP BY k + k - k",
    ];
    for sql in above.into_iter().flat_map(nested) {
        planned(&format!("SELECT * FROM ({sql}) z WHERE k + 1 > 3"));
    }
}

#[test]
fn a_condition_that_stays_is_no_obstacle_to_others() {
    let [deep, _] = nested("SELECT k, s, m + m - m AS m FROM @");
    let plan = planned(&format!("SELECT k FROM ({deep}) z WHERE m > 5 AND s = 'gold'"));
    let filters = |of: fn(&Op) -> bool| plan.root.nodes().into_iter().filter(|node| of(&node.op)).count();
    let at_owner = |op: &Op| matches!(op, Op::LocalStage(stage) if stage.name == "bank.accounts: filter");
    assert_eq!(filters(at_owner), 1, "the owner of the text compares it");
    assert_eq!(
        filters(|op| matches!(op, Op::Filter { .. })),
        1,
        "the number is compared once it is computed"
    );
}

#[test]
fn joins_in_joins_are_ordered_once() {
    let level =
        "SELECT t#.k, m + # AS m FROM @ JOIN (SELECT customer_id AS k FROM bank.accounts) y ON t#.k = y.k";
    let [sql, _] = nested(level);
    planned(&sql);
}

#[test]
fn what_is_simplified_stays_small() {
    for expr in [
        "CASE WHEN (@) BETWEEN # AND 100 THEN u.month ELSE u.minutes END",
        "CASE WHEN @ IN (1, #, 70) THEN u.month ELSE u.minutes END",
        "CASE WHEN (CASE WHEN @ > # THEN u.month > 3 ELSE u.minutes > 1 END) THEN 7 ELSE u.minutes END",
    ] {
        planned(&in_itself(expr, 24));
    }
    let [sql, _] = nested("SELECT k, CASE WHEN s = 'a' THEN 'b' ELSE 'x' END AS s, m FROM @");
    planned(&sql);
    let [sql, _] = nested("SELECT k, CASE WHEN s = 'a' THEN o ELSE 'x' END AS s, o FROM @");
    planned(&sql.replace("segment AS s", "segment AS s, u.plan AS o"));
    for expr in ["COALESCE(@, #)", "NVL(@, #)"] {
        let error = ask(&in_itself(expr, 24)).expect_err("doubles at each level").to_string();
        assert!(error.contains("COALESCE so deep in COALESCE"), "{error}");
        assert!(error.contains("compute the inner ones in a subquery"), "{error}");
    }
}

#[test]
fn what_the_parser_reads_again_does_not_nest_deep() {
    // The error is in the middle of what would be read 2^40 times.
    for call in [
        "CAST(@ + AS INT)",
        "FLOOR(@ +)",
        "NOT (@ +)",
        "substring (@ + FROM 1)",
        "CASE (@ +) WHEN 1 THEN 2 END",
    ] {
        let error = ask(&in_itself(call, LEVELS)).expect_err("not SQL").to_string();
        assert!(error.contains("nest deeper than 16 levels"), "{error}");
        let error = ask(&in_itself(call, 12)).expect_err("not SQL").to_string();
        assert!(error.contains("syntax error"), "{error}");
    }
    let error = ask(&in_itself("IFNULL(@, #)", LEVELS)).expect_err("doubles at each level").to_string();
    assert!(error.contains("nest deeper than 16 levels"), "{error}");
    let _ = ask(&in_itself("IFNULL(@, #)", 16));
    planned(&in_itself("CAST(@ AS INT)", 16));
}

#[test]
fn ctes_are_counted_wherever_they_are_named() {
    let most = "more than 128 KiB with each CTE where it is named";
    for level in [
        "SELECT k, m FROM @ UNION ALL SELECT k, m FROM @",
        "SELECT x.k, x.m FROM @ x JOIN @ y ON x.k = y.k",
        "SELECT k, m FROM @ WHERE k IN (SELECT m FROM @)",
        "SELECT k, m - (SELECT MAX(m) FROM @) AS m FROM @",
        "WITH d AS (SELECT * FROM @) SELECT k, m FROM d UNION SELECT k, m FROM D",
        "SELECT k, m FROM @ WHERE EXISTS (SELECT 1 FROM (SELECT * FROM @) y)",
    ] {
        match ask(&in_a_row(level)) {
            Err(error @ PlanError::Unsupported { .. }) => {
                assert!(error.to_string().contains(most), "{error}");
                assert!(error.to_string().contains("ask several questions"), "{error}");
            }
            other => panic!("{level}: {other:?}"),
        }
    }
    // Named once each, they come to what is written; and a name of the question's may hide another.
    planned(&in_a_row("SELECT k, m + m - m AS m FROM @"));
    planned(&in_a_row("WITH d AS (SELECT k, m FROM @) SELECT k, m FROM d"));
}

#[test]
fn policies_are_checked_in_time() {
    let rules = rules(&[("balance", "aggregate filter reveal"), ("region", "group")], 5);
    let world = "SELECT region AS k, balance AS m FROM bank.accounts";
    for level in [
        "SELECT k, m + m - m AS m FROM @",
        "SELECT k, m + m - m AS m FROM @ WHERE m > #",
        "SELECT k, CASE WHEN m > # THEN m ELSE m + 1 END AS m FROM @",
        "SELECT k, COALESCE(NULLIF(m, #), m, m + 1) AS m FROM @",
    ] {
        let [_, sql] = nested(level);
        let start = Instant::now();
        // Whether it is allowed is another matter.
        let _ = policies::ask(
            &rules,
            &format!("SELECT k, SUM(m) FROM ({}) z GROUP BY k", sql.replace(OWNED, world)),
        );
        assert!(start.elapsed() < IN_TIME, "{:?} for {level}", start.elapsed());
    }
}

#[test]
fn long_lists_of_cases_and_values_are_planned() {
    let list = |item: &str, between: &str| {
        (0..500).map(|at| item.replace('#', &format!("{at}"))).collect::<Vec<_>>().join(between)
    };
    for value in [
        format!("COALESCE({})", list("NULLIF(m, #)", ", ")),
        format!("GREATEST({})", list("m + #", ", ")),
        format!("CASE {} ELSE 0 END", list("WHEN m = # THEN m + #", " ")),
        format!("CASE m {} ELSE 0 END", list("WHEN # THEN m + #", " ")),
    ] {
        planned(&format!("SELECT k, {value} AS v FROM ({JOINED}) z"));
        planned(&format!("SELECT k FROM ({JOINED}) z WHERE {value} > 3"));
        planned(&format!("SELECT k FROM (SELECT k, {value} AS v FROM ({JOINED}) z) y WHERE v > 3"));
    }
    let error = ask(&format!("SELECT COUNT(*) FROM ({JOINED}) z GROUP BY ROLLUP ({})", list("m + #", ", ")));
    let error = error.expect_err("a mark has 64 bits").to_string();
    assert!(error.contains("more than 64 expressions"), "{error}");
}
