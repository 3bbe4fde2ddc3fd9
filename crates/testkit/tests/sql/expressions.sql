-- Arithmetic over two parties' numbers: a UNION ALL keeps it from running at one owner.
SELECT x + 1, x - 1, x * 2, -x FROM (SELECT id AS x FROM bank.accounts UNION ALL SELECT minutes FROM telecom.calls) u;
SELECT x / 7, x % 7 FROM (SELECT id AS x FROM bank.accounts UNION ALL SELECT minutes FROM telecom.calls) u;
SELECT x * x - 3 * x + 5 FROM (SELECT age AS x FROM bank.accounts UNION ALL SELECT qty FROM retailer.sales) u;
SELECT x + y FROM (SELECT id AS x, age AS y FROM bank.accounts UNION ALL SELECT customer, qty FROM retailer.sales) u;
-- Decimals, exact.
SELECT d + 1, d - 0.5, d * 2, d * 1.25 FROM (SELECT balance AS d FROM bank.accounts UNION ALL SELECT price FROM retailer.products) u;
SELECT d / 4 FROM (SELECT balance AS d FROM bank.accounts UNION ALL SELECT price FROM retailer.products) u;
SELECT d, d > 100.00, d = 0 FROM (SELECT cost AS d FROM telecom.calls UNION ALL SELECT price FROM retailer.products) u;
-- Comparisons give three values.
SELECT x < 10, x <= 10, x = 10, x <> 10, x >= 10, x > 10 FROM (SELECT age AS x FROM bank.accounts UNION ALL SELECT qty FROM retailer.sales) u;
SELECT x < y, x = y FROM (SELECT id AS x, age AS y FROM bank.accounts UNION ALL SELECT customer, qty FROM retailer.sales) u;
SELECT a.active AND b.kind = 'voice', a.active OR b.kind = 'voice', NOT a.active FROM bank.accounts a JOIN telecom.calls b ON a.id = b.customer;
-- CASE, with and without ELSE.
SELECT CASE WHEN x < 0 THEN 'negative' WHEN x < 20 THEN 'low' ELSE 'high' END FROM (SELECT age AS x FROM bank.accounts UNION ALL SELECT qty FROM retailer.sales) u;
SELECT CASE WHEN x > 10 THEN x END FROM (SELECT minutes AS x FROM telecom.calls UNION ALL SELECT id FROM bank.accounts) u;
SELECT CASE x WHEN 1 THEN 10 WHEN 2 THEN 20 ELSE x END FROM (SELECT qty AS x FROM retailer.sales UNION ALL SELECT age FROM bank.accounts) u;
-- Dates.
SELECT d, d < DATE '2020-06-01' FROM (SELECT opened AS d FROM bank.accounts UNION ALL SELECT day FROM telecom.calls) u;
-- Extremes.
SELECT big, small, wide FROM telecom.extremes;
SELECT x, x = 9223372036854775807, x < 0 FROM (SELECT big AS x FROM telecom.extremes UNION ALL SELECT id FROM bank.accounts) u;
SELECT x IS NULL, x IS NOT NULL FROM (SELECT big AS x FROM telecom.extremes UNION ALL SELECT age FROM bank.accounts) u;
-- Constants beside data.
SELECT id, 1 AS one, 'word' AS word, CAST(NULL AS BIGINT) AS nothing FROM bank.accounts;
-- Casts between exact types.
SELECT CAST(x AS BIGINT) + 1 FROM (SELECT qty AS x FROM retailer.sales UNION ALL SELECT age FROM bank.accounts) u;

-- Operands that a function reads several times, each computed once.
SELECT i, ABS(ROUND(ABS(x - y) / GREATEST(ABS(d), 1), 2)) FROM {both} u;
SELECT i, ABS(ABS(ABS(x - 3) - 5) - 7), SIGNUM(SIGNUM(ABS(y) - 9) + ABS(x - y)) FROM {both} u;
SELECT i, GREATEST(x, y, 3, i % 5, x + y, NULL), LEAST(x, NULLIF(y, x), GREATEST(x * 2, y)) FROM {both} u;
SELECT i, NULLIF(NULLIF(NULLIF(x, y), 3), 5), COALESCE(NULLIF(x, 3), NULLIF(y, 4), COALESCE(x, y, 0)) FROM {both} u;
SELECT i, CASE ABS(x - y) WHEN 1 THEN 'one' WHEN ABS(y) THEN 'y' ELSE w END FROM {both} u;
SELECT i, ABS(x - y) BETWEEN 3 AND ABS(y), ABS(x - y) IN (1, 2, ABS(y), NULL) FROM {both} u;
SELECT i, x - y IS DISTINCT FROM y - x, NULLIF(x, 3) IS NOT DISTINCT FROM NULLIF(y, 3) FROM {both} u;
SELECT i, POWER(POWER(ABS(x % 3) + 1, 2), 3), TRY_CAST(x * x * 100 AS SMALLINT) FROM {both} u;
SELECT i, CASE WHEN y <> 0 THEN ABS(ABS(x / y) - ABS(x % y)) END FROM {both} u;
SELECT i FROM {both} u WHERE ABS(ABS(x) - ABS(y)) > 3 AND COALESCE(ABS(x - y), 0) < 30;
SELECT ABS(ABS(x - y) - 3) AS g, COUNT(*), SUM(ABS(ABS(x) - ABS(y))) FROM {both} u GROUP BY g;
SELECT NULL AS n, id FROM bank.accounts;
SELECT NULL AS n, a.id FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer;
