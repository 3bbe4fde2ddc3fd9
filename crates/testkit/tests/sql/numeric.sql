-- Beside a number that tells the rows apart.
SELECT i, LN(ABS(x) + 1) FROM {both} u;
SELECT i, LOG10(ABS(x) + 1), LOG2(ABS(x) + 1) FROM {both} u;
SELECT i, LOG(ABS(d) + 0.5) FROM {both} u;
SELECT i, EXP(x / 100.0) FROM {both} u;
SELECT i, EXP(y * -0.5) FROM {both} u WHERE y >= 0;
SELECT i, LN(x) FROM {both} u WHERE x > 0;
SELECT i, CASE WHEN x > 0 THEN LN(x) ELSE 0 END FROM {both} u;
SELECT i, POWER(ABS(x) + 1, (y % 3) * 0.5), POWER(1.5, y % 4) FROM {both} u;
SELECT i, LOG(2, ABS(x) + 1), LOG(10, ABS(x) + 1) FROM {both} u;

-- The largest argument of every range, and small ones beside it.
SELECT i, EXP(1 * CAST(b AS INT)), EXP(2 * CAST(b AS INT)), EXP(3 * CAST(b AS INT)), EXP(4 * CAST(b AS INT)), EXP(5 * CAST(b AS INT)), EXP(6 * CAST(b AS INT)),
    EXP(7 * CAST(b AS INT)), EXP(8 * CAST(b AS INT)), EXP(9 * CAST(b AS INT)), EXP(10 * CAST(b AS INT)), EXP(11 * CAST(b AS INT)), EXP(12 * CAST(b AS INT)),
    EXP(13 * CAST(b AS INT)), EXP(14 * CAST(b AS INT)), EXP(15 * CAST(b AS INT)), EXP(16 * CAST(b AS INT)), EXP(17 * CAST(b AS INT)) FROM {both} u WHERE i < 40;
SELECT i, EXP(x / 5.0) FROM {both} u;
SELECT i, EXP(x / 5.0 - 9) FROM {both} u;
SELECT i, EXP(-ABS(CAST(i - 1 AS DECIMAL(30,2))) * 10000000) FROM {both} u;
SELECT i, LN(ABS(d) * 0.0001 + 0.00003) FROM {both} u WHERE ABS(d) < 30000;
SELECT i, LN(ABS(d) * 10000 + 0.00003), LOG10(ABS(d) + 0.00003) FROM {both} u;
SELECT i, LOG2(d) FROM {both} u WHERE d > 0;
SELECT i, POWER(ABS(x) + 1, ABS(y) / 200.0) FROM {both} u;
SELECT i, POWER(d / 100, 2.5) FROM {both} u WHERE d > 0;
