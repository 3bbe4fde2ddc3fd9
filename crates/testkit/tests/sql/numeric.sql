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
