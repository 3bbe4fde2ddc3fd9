//! Questions, each from its number alone.

/// A small generator: the same choices every time.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    pub(crate) fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.below(6) == 0 { None } else { Some(value(self)) }
    }

    pub(crate) fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len() as u64) as usize]
    }
}

/// Writes SQL.
struct Writer<'a> {
    r: Random,
    sides: &'a [&'a str],
}

impl Writer<'_> {
    fn column(&mut self, names: &[&str]) -> String {
        format!("{}.{}", self.r.pick(self.sides), self.r.pick(names))
    }

    fn number(&mut self, depth: u32) -> String {
        if depth == 0 || self.r.below(4) == 0 {
            return match self.r.below(5) {
                0 => ["0", "1", "-3", "7", "2.5", "0.01", "100"][self.r.below(7) as usize].to_owned(),
                1 => self.column(&["byte", "wide"]),
                _ => self.column(&["k", "tiny", "big", "money", "rate"]),
            };
        }
        let d = depth - 1;
        match self.r.below(18) {
            16 => self.subquery(),
            17 => format!(
                "TRY_CAST({} AS {})",
                self.number(d),
                self.r.pick(&["TINYINT", "INT", "DECIMAL(6,1)"])
            ),
            0..5 => {
                let op = self.r.pick(&["+", "-", "*", "+", "-", "*", "/", "%"]);
                format!("({} {op} {})", self.number(d), self.number(d))
            }
            5 => format!("(-{})", self.number(d)),
            6 => format!("CASE WHEN {} THEN {} ELSE {} END", self.truth(d), self.number(d), self.number(d)),
            7 => format!("CASE WHEN {} THEN {} END", self.truth(d), self.number(d)),
            8 => format!("COALESCE({}, {})", self.number(d), self.number(d)),
            9 => {
                let ty = self.r.pick(&["INT", "BIGINT", "DECIMAL(14,3)", "DECIMAL(9,0)", "SMALLINT"]);
                format!("CAST({} AS {ty})", self.number(d))
            }
            10 => format!("ABS({})", self.number(d)),
            11 => {
                let name = self.r.pick(&["GREATEST", "LEAST"]);
                format!("{name}({}, {})", self.number(d), self.number(d))
            }
            12 => format!("NULLIF({}, {})", self.number(d), self.number(d)),
            13 => {
                let name = self.r.pick(&["ROUND", "TRUNC"]);
                format!("{name}({}, {})", self.column(&["money", "rate"]), self.r.pick(&["0", "1", "3"]))
            }
            14 => {
                let name = self.r.pick(&["FLOOR", "CEIL"]);
                format!("{name}({})", self.column(&["money", "rate"]))
            }
            _ => {
                let part = self.r.pick(&["YEAR", "MONTH", "DAY", "DOW", "DOY", "WEEK", "QUARTER"]);
                format!("EXTRACT({part} FROM {})", self.date(d))
            }
        }
    }

    fn date(&mut self, depth: u32) -> String {
        if depth == 0 || self.r.below(3) == 0 {
            return self.column(&["day"]);
        }
        let d = depth - 1;
        match self.r.below(4) {
            0 => {
                let more = self.r.pick(&["'3' DAY", "'1' MONTH", "'2' YEAR", "'-1' MONTH"]);
                format!("({} {} INTERVAL {more})", self.date(d), self.r.pick(&["+", "-"]))
            }
            1 => format!("GREATEST({}, DATE '1970-01-03')", self.date(d)),
            2 => format!("CASE WHEN {} THEN {} ELSE {} END", self.truth(d), self.date(d), self.date(d)),
            _ => format!(
                "CAST(DATE_TRUNC('{}', {}) AS DATE)",
                self.r.pick(&["month", "week", "year"]),
                self.date(d)
            ),
        }
    }

    /// One value of other rows.
    fn subquery(&mut self) -> String {
        let other = self.r.pick(&["bank.t", "telecom.u"]);
        let value = self.r.pick(&["MAX(z.tiny)", "COUNT(*)", "SUM(z.money)", "MIN(z.k)", "COUNT(z.name)"]);
        match self.r.below(3) {
            0 => format!("(SELECT {value} FROM {other} z)"),
            1 => format!("(SELECT {value} FROM {other} z WHERE z.flag)"),
            _ => {
                let (side, key) = (self.r.pick(self.sides), self.r.pick(&["k", "tiny", "name", "day"]));
                format!("(SELECT {value} FROM {other} z WHERE z.{key} = {side}.{key})")
            }
        }
    }

    /// A double, which nothing is computed from.
    fn double(&mut self, depth: u32) -> String {
        let number = self.number(depth);
        match self.r.below(4) {
            0 => format!("CAST({number} AS DOUBLE) * 0.5e0"),
            1 => {
                format!("CAST({number} AS DOUBLE) / CAST({} AS DOUBLE)", self.column(&["k", "tiny", "money"]))
            }
            2 => format!("SQRT(ABS({number}))"),
            _ => format!("POWER({}, 2) + 1e0", self.column(&["k", "tiny", "money"])),
        }
    }

    /// A function over the rows' neighbours whose answer ties do not decide.
    fn window(&mut self) -> String {
        let partition = match self.r.below(3) {
            0 => String::new(),
            _ => format!("PARTITION BY {} ", self.any(1)),
        };
        let order = self.column(&["k", "tiny", "big", "money", "day", "name"]);
        let down = self.r.pick(&["", " DESC", " NULLS FIRST", " DESC NULLS LAST"]);
        let call = match self.r.below(9) {
            0 => "RANK()".to_owned(),
            1 => "DENSE_RANK()".to_owned(),
            2 => "PERCENT_RANK()".to_owned(),
            3 => "CUME_DIST()".to_owned(),
            4 => format!("COUNT({})", self.any(1)),
            5 => format!("MIN({})", self.any(1)),
            6 => format!("MAX({})", self.any(1)),
            7 => format!("AVG({})", self.number(1)),
            _ => format!("SUM({})", self.number(1)),
        };
        let whole = self.r.below(4) == 0 && !call.ends_with("()");
        let order = if whole { String::new() } else { format!("ORDER BY {order}{down}") };
        format!("{call} OVER ({partition}{order})")
    }

    /// All columns that tell the rows apart.
    fn identity(&mut self, down: &str) -> String {
        let ids: Vec<String> = self.sides.iter().map(|side| format!("{side}.id{down}")).collect();
        ids.join(", ")
    }

    /// A function over neighbours in an order without ties.
    fn neighbours(&mut self) -> String {
        let partition = match self.r.below(3) {
            0 => String::new(),
            _ => format!("PARTITION BY {} ", self.column(&["tiny", "name", "flag", "day"])),
        };
        let down = self.r.pick(&["", " DESC", " NULLS FIRST", " DESC NULLS LAST"]);
        let order = format!("ORDER BY {}", self.identity(down));
        let value = self.column(&["k", "tiny", "big", "money", "name", "day", "flag"]);
        let nulls = self.r.pick(&["", "", " IGNORE NULLS"]);
        let frame = self.r.pick(&[
            "",
            "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
            "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
            "ROWS BETWEEN UNBOUNDED PRECEDING AND 2 FOLLOWING",
        ]);
        let sliding = self.r.pick(&[
            "ROWS BETWEEN 2 PRECEDING AND CURRENT ROW",
            "ROWS BETWEEN 1 PRECEDING AND 3 FOLLOWING",
            "ROWS BETWEEN 4 PRECEDING AND 2 PRECEDING",
            "ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING",
            "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
            "",
        ]);
        let number = self.column(&["k", "tiny", "money"]);
        let over = |frame: &str| format!("OVER ({partition}{order} {frame})");
        match self.r.below(12) {
            0 => format!("ROW_NUMBER() {}", over("")),
            1 => format!("NTILE({}) {}", 1 + self.r.below(6), over("")),
            2 => format!("LAG({value}, {}) {}", self.r.below(4), over("")),
            3 => format!("LEAD({value}) {}", over("")),
            4 => format!("FIRST_VALUE({value}){nulls} {}", over(frame)),
            5 => format!("LAST_VALUE({value}){nulls} {}", over(frame)),
            6 => format!("NTH_VALUE({value}, {}) {}", 1 + self.r.below(3), over(frame)),
            7 => format!("FIRST_VALUE({value}) {}", over(sliding)),
            8 => format!("LAST_VALUE({value}) {}", over(sliding)),
            9 => format!("MAX({value}) {}", over(sliding)),
            10 => format!("AVG({number}) {}", over(sliding)),
            _ => format!("SUM({number}) {}", over(sliding)),
        }
    }

    /// A total over the rows whose key is near enough.
    fn within(&mut self) -> String {
        let partition = match self.r.below(2) {
            0 => String::new(),
            _ => format!("PARTITION BY {} ", self.column(&["name", "flag"])),
        };
        let (key, bounds) = match self.r.below(4) {
            0 => (self.column(&["day"]), ["INTERVAL '7' DAY", "INTERVAL '2' DAY"]),
            _ => (self.column(&["k", "tiny", "big"]), ["3", "1"]),
        };
        let down = self.r.pick(&["", " DESC", " NULLS FIRST"]);
        let [wide, near] = bounds;
        let frame = match self.r.below(6) {
            0 => format!("RANGE BETWEEN {wide} PRECEDING AND CURRENT ROW"),
            1 => format!("RANGE BETWEEN {wide} PRECEDING AND {near} FOLLOWING"),
            2 => format!("RANGE BETWEEN {wide} PRECEDING AND {near} PRECEDING"),
            3 => "RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING".to_owned(),
            4 => "GROUPS BETWEEN 2 PRECEDING AND 1 FOLLOWING".to_owned(),
            _ => format!("RANGE BETWEEN UNBOUNDED PRECEDING AND {near} FOLLOWING"),
        };
        let name = self.r.pick(&["SUM", "COUNT", "AVG"]);
        let number = self.column(&["k", "tiny", "money"]);
        format!("{name}({number}) OVER ({partition}ORDER BY {key}{down} {frame})")
    }

    fn text(&mut self, depth: u32) -> String {
        match self.r.below(if depth == 0 { 4 } else { 12 }) {
            9 => {
                let text = self.text(depth - 1);
                match self.r.below(6) {
                    0 => format!("RIGHT({text}, {})", self.r.below(4)),
                    1 => format!("TRIM({text})"),
                    2 => format!("LTRIM({text}, 'al')"),
                    3 => format!("RTRIM({text}, 'bs')"),
                    4 => format!("REPLACE({text}, 'ab', 'xy')"),
                    _ => format!("TRANSLATE({text}, 'ab', 'ba')"),
                }
            }
            10 => {
                let value = match self.r.below(4) {
                    0 => self.column(&["flag", "day"]),
                    1 => self.column(&["money", "rate"]),
                    _ => self.column(&["k", "tiny", "big", "byte"]),
                };
                format!("CAST({value} AS VARCHAR)")
            }
            11 => format!("REVERSE({})", self.text(depth - 1)),
            6 => format!("CONCAT({}, {})", self.text(depth - 1), self.text(depth - 1)),
            7 => format!("({} || {})", self.text(depth - 1), self.text(depth - 1)),
            8 => match self.r.below(3) {
                0 => format!("SUBSTR({}, {})", self.text(depth - 1), self.r.pick(&["1, 2", "2", "3, 4"])),
                1 => format!("UPPER({})", self.text(depth - 1)),
                _ => format!("GREATEST({}, {})", self.text(depth - 1), self.text(depth - 1)),
            },
            0 => self.r.pick(&["'a'", "'b'", "''", "'longer than a hash of so few rows'", "'zz'"]).to_owned(),
            1..4 => self.column(&["name"]),
            4 => format!(
                "CASE WHEN {} THEN {} ELSE {} END",
                self.truth(depth - 1),
                self.text(depth - 1),
                self.text(depth - 1)
            ),
            _ => format!("COALESCE({}, {})", self.text(depth - 1), self.text(depth - 1)),
        }
    }

    fn truth(&mut self, depth: u32) -> String {
        let compare = ["=", "<>", "<", "<=", ">", ">="];
        if depth == 0 {
            return self.column(&["flag"]);
        }
        let d = depth - 1;
        match self.r.below(16) {
            14 => format!("STRPOS({}, 'b') {} {}", self.text(d), self.r.pick(&compare), self.r.below(3)),
            15 => format!("{} {} {}", self.column(&["f"]), self.r.pick(&compare), self.column(&["f"])),
            12 => {
                let pattern = self.r.pick(&["a%", "%b", "%e%", "_", "a_%", "lo%th%", "%"]);
                format!("{} {}LIKE '{pattern}'", self.text(d), self.r.pick(&["", "NOT "]))
            }
            13 => format!("LENGTH({}) {} {}", self.text(d), self.r.pick(&compare), self.r.below(5)),
            0..4 => format!("{} {} {}", self.number(d), self.r.pick(&compare), self.number(d)),
            4 => format!("{} {} {}", self.text(d), self.r.pick(&compare), self.text(d)),
            5 => {
                let day = self.r.pick(&["1970-01-05", "1969-12-31"]);
                format!("{} {} DATE '{day}'", self.column(&["day"]), self.r.pick(&compare))
            }
            6 => format!("({} AND {})", self.truth(d), self.truth(d)),
            7 => format!("({} OR {})", self.truth(d), self.truth(d)),
            8 => format!("NOT ({})", self.truth(d)),
            9 => {
                let operand = if self.r.below(2) == 0 { self.number(d) } else { self.text(d) };
                format!("({operand}) IS {}NULL", self.r.pick(&["", "NOT "]))
            }
            10 => {
                format!("{} {}IN (1, -2, 3)", self.column(&["tiny", "k", "big"]), self.r.pick(&["", "NOT "]))
            }
            _ => format!("{} BETWEEN {} AND {}", self.number(d), self.number(d), self.number(d)),
        }
    }

    /// Whether other rows exist.
    fn existence(&mut self) -> String {
        let (side, not) = (self.r.pick(self.sides), self.r.pick(&["", "NOT "]));
        let key = self.r.pick(&["k", "tiny", "name", "day"]);
        let other = self.r.pick(&["bank.t", "telecom.u"]);
        let some = self.r.pick(&["TRUE", "z.flag", "z.tiny > 0", "z.name IS NOT NULL"]);
        match self.r.below(4) {
            0 => format!("{side}.{key} {not}IN (SELECT z.{key} FROM {other} z WHERE {some})"),
            1 => format!("{not}EXISTS (SELECT 1 FROM {other} z WHERE z.{key} = {side}.{key} AND {some})"),
            2 => format!(
                "{not}EXISTS (SELECT 1 FROM {other} z WHERE z.{key} = {side}.{key} AND z.big {} {side}.k AND {some})",
                self.r.pick(&["<", ">=", "<>"])
            ),
            _ => format!(
                "({side}.flag OR {not}EXISTS (SELECT 1 FROM {other} z WHERE z.{key} = {side}.{key} AND {some}))"
            ),
        }
    }

    fn any(&mut self, depth: u32) -> String {
        match self.r.below(8) {
            0 => self.text(depth),
            1 => self.truth(depth),
            2 => self.date(depth),
            3 => self.column(&["f", "at", "byte", "wide"]),
            _ => self.number(depth),
        }
    }

    fn aggregate(&mut self, depth: u32) -> String {
        match self.r.below(18) {
            16 => {
                let name = self.r.pick(&["BIT_AND", "BIT_OR", "BIT_XOR"]);
                format!("{name}({})", self.column(&["k", "tiny", "big", "byte"]))
            }
            17 => {
                // Others have a way between two values that DataFusion cuts at six digits.
                let share = self.r.pick(&["0", "0.25", "0.5", "1"]);
                let which = self.r.pick(&["CONT", "DISC"]);
                let value = self.column(&["k", "tiny", "money"]);
                let down = self.r.pick(&["", " DESC"]);
                let share = if which == "DISC" && self.r.below(2) == 0 { "0.9" } else { share };
                format!("PERCENTILE_{which}({share}) WITHIN GROUP (ORDER BY {value}{down})")
            }
            15 => {
                let name = self.r.pick(&["SUM", "AVG", "MIN", "MAX"]);
                format!("{name}(CAST({} AS DOUBLE) * 0.5e0)", self.column(&["k", "tiny", "money"]))
            }
            0 => "COUNT(*)".to_owned(),
            1 => format!("COUNT({})", self.any(depth)),
            2 => format!("SUM({})", self.number(depth)),
            3 => format!("AVG({})", self.number(depth)),
            4 => format!("MIN({})", self.any(depth)),
            5 => format!("MAX({})", self.any(depth)),
            6 => format!("COUNT(DISTINCT {})", self.any(depth)),
            7 => format!("SUM({}) FILTER (WHERE {})", self.number(depth), self.truth(depth)),
            8 => format!("{}({})", self.r.pick(&["BOOL_AND", "BOOL_OR"]), self.truth(depth)),
            9 => format!(
                "{}({})",
                self.r.pick(&["VAR_POP", "VAR_SAMP", "STDDEV"]),
                self.column(&["k", "tiny"])
            ),
            10 => format!("MEDIAN({})", self.number(depth)),
            11 => format!("COVAR_POP({}, {})", self.column(&["k", "tiny"]), self.column(&["tiny", "k"])),
            12 => format!("REGR_SLOPE({}, {})", self.column(&["tiny", "big"]), self.column(&["k", "tiny"])),
            13 => format!("COUNT(DISTINCT {}) FILTER (WHERE {})", self.any(1), self.truth(1)),
            _ => format!("SUM(CASE WHEN {} THEN 1 ELSE 0 END)", self.truth(depth)),
        }
    }
}

/// A question, from its number alone.
pub(crate) fn question(number: u64) -> String {
    let mut r = Random(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    r.below(2);
    let both = "(SELECT * FROM bank.t UNION ALL SELECT * FROM telecom.u)";
    let grouped = format!(
        "(SELECT tiny, MIN(id) AS id, COUNT(k) AS k, MAX(big) AS big, SUM(money) AS money, MIN(rate) AS rate, \
         BOOL_OR(flag) AS flag, MAX(name) AS name, MIN(day) AS day, MAX(f) AS f, MIN(at) AS at, MAX(byte) AS byte, \
         SUM(wide) AS wide FROM {both} b GROUP BY tiny)"
    );
    let (from, sides): (String, &[&str]) = match r.below(15) {
        9 => ("telecom.u y RIGHT JOIN bank.t x ON x.k = y.k AND x.flag = y.flag".into(), &["x", "y"]),
        10 => ("bank.t x FULL JOIN telecom.u y ON x.name = y.name AND x.tiny = y.tiny".into(), &["x", "y"]),
        11 => (format!("bank.t x JOIN {grouped} y ON x.tiny = y.tiny"), &["x", "y"]),
        12 => (format!("{grouped} x"), &["x"]),
        13 => {
            ("bank.t x JOIN telecom.u y USING (k) LEFT JOIN telecom.u z ON z.id = y.id".into(), &["x", "y"])
        }
        14 => ("bank.t x LEFT JOIN telecom.u y ON x.f = y.f OR x.day > y.day".into(), &["x", "y"]),
        0 => ("bank.t x JOIN telecom.u y ON x.k = y.k".into(), &["x", "y"]),
        1 => ("telecom.u y LEFT JOIN bank.t x ON x.k = y.k".into(), &["x", "y"]),
        2 => ("bank.t x LEFT JOIN telecom.u y ON x.k = y.k".into(), &["x", "y"]),
        3 => ("bank.t x JOIN telecom.u y ON x.k = y.k AND x.tiny = y.tiny".into(), &["x", "y"]),
        4 => ("bank.t x FULL JOIN telecom.u y ON x.k = y.k".into(), &["x", "y"]),
        5 => ("bank.t x JOIN telecom.u y ON x.tiny = y.tiny AND x.name <> y.name".into(), &["x", "y"]),
        6 => ("bank.t x LEFT JOIN telecom.u y ON x.name = y.name AND x.day < y.day".into(), &["x", "y"]),
        7 => ("bank.t x FULL JOIN telecom.u y ON x.tiny = y.tiny AND x.big > y.k".into(), &["x", "y"]),
        _ => (format!("{both} x"), &["x"]),
    };
    let mut w = Writer { r, sides };
    let truth = (w.r.below(2) == 0).then(|| w.truth(3));
    let existence = (w.r.below(4) == 0).then(|| w.existence());
    let filter: Vec<String> = truth.into_iter().chain(existence).collect();
    let filter = if filter.is_empty() { String::new() } else { format!(" WHERE {}", filter.join(" AND ")) };
    match w.r.below(11) {
        8 => {
            let calls: Vec<String> = (0..2).map(|at| format!("{} AS w{at}", w.neighbours())).collect();
            format!("SELECT {} AS a, {} FROM {from}{filter}", w.any(1), calls.join(", "))
        }
        9 => {
            let order = w.identity(" NULLS FIRST");
            let limit = format!("LIMIT {} OFFSET {}", w.r.below(9), w.r.below(4));
            format!(
                "SELECT {} AS a, {} AS b FROM {from}{filter} ORDER BY {order} {limit}",
                w.any(2),
                w.within()
            )
        }
        10 => {
            let names = ["tiny", "k", "flag", "name", "day", "f", "byte"];
            let list = |w: &mut Writer, side| {
                let column = w.r.pick(&names);
                format!("{column}, {} AS b FROM {side}", w.any(0))
            };
            let mut one = Writer { r: Random(w.r.0), sides: &["x"] };
            let op = one.r.pick(&["UNION", "INTERSECT", "EXCEPT", "UNION ALL"]);
            let left = list(&mut one, "bank.t x");
            // The same columns of the other table.
            let right = left.replace("bank.t x", "telecom.u x");
            format!("SELECT x.{left} {op} SELECT x.{right}")
        }
        7 => {
            let (g, h) = (w.column(&["name", "day", "k"]), w.column(&["tiny", "flag"]));
            let sets = w.r.pick(&["ROLLUP (1, 2)", "CUBE (1, 2)", "GROUPING SETS ((1), (2), (1, 2))"]);
            let sets = sets.replace('1', &g).replace('2', &h);
            format!("SELECT {g} AS g, {h} AS h, {} AS a FROM {from}{filter} GROUP BY {sets}", w.aggregate(1))
        }
        6 => {
            let calls: Vec<String> = (0..2).map(|at| format!("{} AS w{at}", w.window())).collect();
            format!("SELECT {} AS a, {} FROM {from}{filter}", w.any(1), calls.join(", "))
        }
        5 => format!("SELECT {} AS a, {} AS b FROM {from}{filter}", w.double(2), w.double(1)),
        0 => {
            let aggs: Vec<String> = (0..3).map(|at| format!("{} AS a{at}", w.aggregate(2))).collect();
            format!("SELECT {} FROM {from}{filter}", aggs.join(", "))
        }
        1 => {
            let (key, agg) = (w.any(2), w.aggregate(2));
            let having = if w.r.below(2) == 0 {
                format!(" HAVING COUNT(*) > {}", w.r.below(3))
            } else {
                String::new()
            };
            format!(
                "SELECT {key} AS g, {} AS h, {agg} AS a, {} AS b FROM {from}{filter} GROUP BY g, h{having}",
                w.column(&["tiny", "name", "day", "flag"]),
                w.aggregate(1)
            )
        }
        2 => format!("SELECT DISTINCT {} AS a, {} AS b FROM {from}{filter}", w.any(2), w.any(1)),
        _ => {
            let exprs: Vec<String> = (0..3).map(|at| format!("{} AS a{at}", w.any(3))).collect();
            format!("SELECT {} FROM {from}{filter}", exprs.join(", "))
        }
    }
}
