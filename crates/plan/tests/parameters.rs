//! Parameters: constants in place of `$1`, and nothing that could say more than a constant does.

use plan::question::bind;

#[test]
fn parameters_take_constants_and_nothing_else() {
    let values = |list: &[&str]| list.iter().map(|value| value.to_string()).collect::<Vec<_>>();
    let sql = "SELECT '$1', $2 FROM a.b -- $3\nWHERE x = $1 OR y = $1";
    let bound = bind(sql, &values(&["-5", "DATE '2024-02-29'"])).unwrap();
    assert_eq!(bound, "SELECT '$1', DATE '2024-02-29' FROM a.b -- $3\nWHERE x = -5 OR y = -5");
    for value in ["'it''s'", "1.5", "NULL", "TRUE", "TIMESTAMP '2024-01-01 00:00:00'", "1e3"]
        .into_iter()
        .chain(["INTERVAL '1' YEAR", "INTERVAL '2 months 3 days'"])
    {
        assert_eq!(bind("$1", &values(&[value])).unwrap(), value);
    }
    for value in [
        "1 OR TRUE",
        "x",
        "(SELECT 1)",
        "1; SELECT 2",
        "'a' --",
        "",
        "$2",
        "- -1",
        "f(1)",
        "INTERVAL (SELECT 1) YEAR",
    ] {
        assert!(bind("$1", &values(&[value])).is_err(), "{value}");
    }
    assert!(bind("$1 + $2", &values(&["1"])).is_err());
    assert!(bind("$1", &values(&["1", "2"])).is_err());
    assert_eq!(bind("SELECT 1", &[]).unwrap(), "SELECT 1");
}
