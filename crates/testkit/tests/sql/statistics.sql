-- Each different value once.
SELECT COUNT(DISTINCT x) FROM {both} u;
SELECT COUNT(DISTINCT x), COUNT(*), SUM(x) FROM {both} u;
SELECT w, COUNT(DISTINCT x), SUM(y), COUNT(DISTINCT y) FROM {both} u GROUP BY w;
SELECT b, COUNT(DISTINCT w), COUNT(w) FROM {both} u GROUP BY b;
SELECT COUNT(DISTINCT d), COUNT(DISTINCT t), COUNT(DISTINCT b) FROM {both} u;
SELECT SUM(DISTINCT x) FROM {both} u;
SELECT w, AVG(DISTINCT x) FROM {both} u GROUP BY w;
SELECT COUNT(DISTINCT x) FILTER (WHERE y > 2), COUNT(*) FROM {both} u;
SELECT w, MIN(DISTINCT x), MAX(DISTINCT x), COUNT(DISTINCT x % 3) FROM {both} u GROUP BY w;
SELECT COUNT(DISTINCT x), COUNT(*) FROM {both} u WHERE x > 1000;
-- Truths.
SELECT BOOL_AND(b), BOOL_OR(b), BOOL_AND(x > -100), BOOL_OR(x > 100) FROM {both} u;
SELECT w, BOOL_AND(x > 3), BOOL_OR(x > 3) FROM {both} u GROUP BY w;
-- FILTER.
SELECT COUNT(*) FILTER (WHERE x > 3), AVG(x) FILTER (WHERE y > 3), MAX(d) FILTER (WHERE b) FROM {both} u;
SELECT w, SUM(d) FILTER (WHERE x > 10), COUNT(x) FILTER (WHERE d > 0) FROM {both} u GROUP BY w;
-- Variances.
SELECT VAR_POP(x), VAR_SAMP(x), VAR(x) FROM {both} u;
SELECT STDDEV(x), STDDEV_POP(x), STDDEV_SAMP(x) FROM {both} u;
SELECT w, VAR_SAMP(d), STDDEV_POP(d) FROM {both} u GROUP BY w;
SELECT x, VAR_POP(d), VAR_SAMP(d), STDDEV(d) FROM {both} u GROUP BY x;
SELECT STDDEV(x) FILTER (WHERE y > 2) FROM {both} u;
SELECT VAR_SAMP(x), STDDEV_POP(x) FROM {both} u WHERE x > 1000;
-- Two columns.
SELECT COVAR_SAMP(x, y), COVAR_POP(x, y), CORR(x, y) FROM {both} u;
SELECT w, COVAR_SAMP(d, x), CORR(d, x) FROM {both} u GROUP BY w;
SELECT REGR_SLOPE(x, y), REGR_INTERCEPT(x, y) FROM {both} u;
SELECT w, REGR_SLOPE(d, x), REGR_INTERCEPT(d, x) FROM {both} u GROUP BY w;
SELECT REGR_COUNT(x, y), REGR_AVGX(x, y), REGR_AVGY(x, y), REGR_R2(x, y) FROM {both} u;
SELECT REGR_SXX(x, y), REGR_SYY(x, y), REGR_SXY(x, y) FROM {both} u;
SELECT a.region, CORR(a.balance, c.minutes) FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer GROUP BY a.region;
-- Places in the order.
SELECT MEDIAN(x), MEDIAN(d) FROM {both} u;
SELECT w, MEDIAN(x), MEDIAN(d), COUNT(*) FROM {both} u GROUP BY w;
SELECT PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY x), PERCENTILE_CONT(0.75) WITHIN GROUP (ORDER BY x) FROM {both} u;
SELECT w, PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY x) FROM {both} u GROUP BY w;
SELECT PERCENTILE_CONT(0) WITHIN GROUP (ORDER BY x), PERCENTILE_CONT(1) WITHIN GROUP (ORDER BY x) FROM {both} u;
SELECT PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY x DESC) FROM {both} u;
SELECT MEDIAN(x) FILTER (WHERE y > 2), MEDIAN(x) FROM {both} u;
SELECT MEDIAN(x) FROM {both} u WHERE x > 1000;
-- Grouping sets.
SELECT w, b, COUNT(*) FROM {both} u GROUP BY GROUPING SETS ((w), (b), ());
SELECT w, b, SUM(x) FROM {both} u GROUP BY ROLLUP (w, b);
SELECT w, b, SUM(x), COUNT(DISTINCT x) FROM {both} u GROUP BY CUBE (w, b);
SELECT w, GROUPING(w), SUM(x) FROM {both} u GROUP BY ROLLUP (w);
SELECT w, b, SUM(x) FROM {both} u GROUP BY GROUPING SETS ((w, b), (w, b), (w));
SELECT w, x > 5, AVG(d) FROM {both} u GROUP BY w, ROLLUP (x > 5);
SELECT region, active, SUM(balance) FROM bank.accounts GROUP BY ROLLUP (region, active);
-- Groups by expressions and text.
SELECT x / 10, COUNT(*) FROM {both} u GROUP BY x / 10;
SELECT CASE WHEN x > 5 THEN 'much' ELSE w END AS k, COUNT(*), SUM(d) FROM {both} u GROUP BY CASE WHEN x > 5 THEN 'much' ELSE w END;
SELECT MIN(w), MAX(w), MIN(b), MAX(t) FROM {both} u;
-- Arithmetic over means.
SELECT AVG(x) / 2, AVG(x) + 1, AVG(x) * AVG(y), AVG(x) / AVG(y) FROM {both} u;
SELECT w, CAST(SUM(x) AS DOUBLE) / COUNT(*) FROM {both} u GROUP BY w;
SELECT w, SUM(x) * 1.0 / COUNT(*) FROM {both} u GROUP BY w HAVING AVG(x) > 3.5;
-- Doubles.
SELECT SUM(CAST(x AS DOUBLE)), AVG(CAST(d AS DOUBLE)) AS a, MIN(CAST(x AS DOUBLE)) AS m FROM {both} u;
SELECT w, SUM(x * 0.5e0), AVG(x * 0.5e0), MIN(x * 0.5e0), MAX(x * -0.5e0) FROM {both} u GROUP BY w;
SELECT AVG(m), MAX(m) FROM (SELECT w, AVG(x) AS m FROM {both} u GROUP BY w) g;
SELECT SUM(SQRT(ABS(x))) FROM {both} u;
-- The first row of an order.
SELECT FIRST_VALUE(x ORDER BY i), LAST_VALUE(x ORDER BY i), FIRST_VALUE(w ORDER BY i DESC) FROM {both} u;
SELECT b, FIRST_VALUE(d ORDER BY i), LAST_VALUE(w ORDER BY d, i), COUNT(*) FROM {both} u GROUP BY b;
SELECT DISTINCT ON (w) w, x FROM {both} u ORDER BY w, i;
-- A set without columns has a group even of no rows.
SELECT w, b, COUNT(*), COUNT(x), SUM(x), COUNT(DISTINCT y), MEDIAN(x), VAR_POP(x) FROM {both} u WHERE i > 100000 GROUP BY ROLLUP (w, b);
SELECT w, COUNT(*), COUNT(i), FIRST_VALUE(x ORDER BY i) FROM {both} u GROUP BY GROUPING SETS ((w), (), ());
-- The first value that a share of the rows does not exceed.
SELECT PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY x), PERCENTILE_DISC(0) WITHIN GROUP (ORDER BY d), PERCENTILE_DISC(1) WITHIN GROUP (ORDER BY t) FROM {both} u;
SELECT w, PERCENTILE_DISC(0.3) WITHIN GROUP (ORDER BY x), PERCENTILE_DISC(0.7) WITHIN GROUP (ORDER BY w DESC) FROM {both} u GROUP BY w;
SELECT b, PERCENTILE_DISC(0.9) WITHIN GROUP (ORDER BY x DESC) FILTER (WHERE y > 2), COUNT(*) FROM {both} u GROUP BY b;
SELECT region, PERCENTILE_DISC(0.25) WITHIN GROUP (ORDER BY balance) FROM bank.accounts GROUP BY region;
-- Means in the middle of two decimals go away from zero.
SELECT CAST(AVG(v) AS DECIMAL(10,1)), CAST(AVG(-v) AS DECIMAL(10,1)) FROM (SELECT CASE WHEN i = 1000 THEN 3 ELSE 0 END AS v FROM {both} u WHERE i BETWEEN 1000 AND 1019) z;
SELECT -AVG(x), ABS(-AVG(x)), ABS(-AVG(d)) AS a FROM {both} u;
SELECT w, CASE WHEN COUNT(*) > 3 THEN AVG(x) END FROM {both} u GROUP BY w;
-- Deviations of numbers of many digits, and of products of one owner.
SELECT CORR(a.balance * c.cost, c.cost) AS k, REGR_R2(a.balance * c.cost, c.minutes) AS r, CORR(a.balance * c.cost, a.balance * c.cost) AS one FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer;
SELECT a.active, CORR(a.balance * a.age, c.cost * c.minutes) AS k, STDDEV(a.balance * c.cost) AS d FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer GROUP BY a.active;
SELECT CORR(CAST(SQRT(ABS(a.age)) AS DECIMAL(12, 6)), c.minutes * c.minutes) AS k, VAR_SAMP(a.age * a.age) AS v FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer;
SELECT REGR_R2(a.balance, c.cost) FILTER (WHERE c.minutes > 100) AS r, CORR(c.minutes, a.age) FILTER (WHERE a.age > 30) AS k FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer;
SELECT region, CORR(balance, age) AS k, COUNT(*) FROM (SELECT a.region, a.balance, 7 AS age FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer) q GROUP BY region
