-- Choices.
SELECT CASE WHEN x > 3 THEN 'a' ELSE w END FROM {both} u;
SELECT COALESCE(x, y, 0), NULLIF(x, 3), NVL(x, -1) FROM {both} u;
SELECT NVL2(x, 1, 2) FROM {both} u;
SELECT GREATEST(x, y, 3), LEAST(x, y) FROM {both} u;
SELECT GREATEST(x, 3), LEAST(d, 100.5) FROM {both} u;
SELECT GREATEST(w, 'm'), LEAST(w, 'm') FROM {both} u;
SELECT GREATEST(t, DATE '2020-06-01') FROM {both} u;
-- Signs and sizes.
SELECT ABS(x), ABS(d) FROM {both} u;
SELECT SIGNUM(x), SIGNUM(d) FROM {both} u;
-- Rounding.
SELECT ROUND(d), ROUND(d, 1), ROUND(d, 2), ROUND(d, 5) FROM {both} u;
SELECT ROUND(d, -2) FROM {both} u;
SELECT FLOOR(d), CEIL(d) FROM {both} u;
SELECT FLOOR(-d), CEIL(-d) FROM {both} u;
SELECT TRUNC(d), TRUNC(d, 1) FROM {both} u;
SELECT ROUND(x), FLOOR(x) AS f, CEIL(x) AS c FROM {both} u;
SELECT ROUND(x, -1) FROM {both} u;
SELECT CEIL(x / 2.0), FLOOR(d / 3) FROM {both} u;
SELECT ROUND(d / 3, 2), ROUND(d * d, 1) FROM {both} u;
SELECT ROUND(AVG(d), 2) FROM {both} u;
-- Quotients.
SELECT x % 5, d % 7, -x % 5 FROM {both} u;
SELECT x / 7, x / -7, y / (x * x + 1) FROM {both} u;
-- Roots and powers.
SELECT SQRT(ABS(x)) FROM {both} u;
SELECT SQRT(x * x + y * y) FROM {both} u;
SELECT SQRT(ABS(d)) FROM {both} u;
SELECT POWER(x, 2), POW(x, 3) AS p FROM {both} u;
SELECT POWER(d, 2) FROM {both} u;
SELECT POWER(ABS(x), 0.5) FROM {both} u;
-- Doubles.
SELECT CAST(x AS DOUBLE), CAST(d AS DOUBLE) FROM {both} u;
SELECT CAST(x AS DOUBLE) * 2.5, x * 1.5e0 FROM {both} u;
SELECT CAST(x AS DOUBLE) / 3, CAST(d AS DOUBLE) / (x * x + 1) FROM {both} u;
SELECT CAST(x AS DOUBLE) - 0.5e0, 1e0 + x FROM {both} u;
SELECT x FROM {both} u WHERE CAST(x AS DOUBLE) * 0.5e0 > 3.25e0;
-- Casts.
SELECT CAST(b AS INT), CAST(x AS BOOLEAN) FROM {both} u;
SELECT CAST(d AS DECIMAL(10,1)) AS one, CAST(d AS INT) AS none FROM {both} u;
SELECT CAST(x AS DECIMAL(10,2)) / 3, CAST(x AS SMALLINT) AS s FROM {both} u;
SELECT CAST(x AS BIGINT) * CAST(y AS BIGINT) FROM {both} u;
-- Bits.
SELECT x & 3, x | 8 AS o FROM {both} u WHERE x >= 0;
-- Three values.
SELECT x FROM {both} u WHERE x IS DISTINCT FROM y;
SELECT b IS TRUE, b IS NOT FALSE, b IS NULL FROM {both} u;
SELECT x FROM {both} u WHERE b AND x > 1 OR NOT b;
SELECT x NOT IN (1, 2, NULL), x IN (1, NULL) FROM {both} u;
SELECT (x > 3) = b, (x > 3) AND NULL FROM {both} u;
SELECT CASE WHEN b THEN 1.5 ELSE 2 END FROM {both} u;
-- Constants.
SELECT a + 1, b FROM (VALUES (1, 'a'), (2, 'b')) v(a, b);
SELECT u.x, v.b FROM {both} u JOIN (VALUES (1, 'a'), (2, 'b'), (5, NULL)) v(a, b) ON u.x = v.a;
SELECT 1 + 1, 'a' || 'b', DATE '2020-01-01' + INTERVAL '1' MONTH;
-- At the owner: text functions and patterns.
SELECT a.id, UPPER(a.region), LENGTH(c.kind), SUBSTR(c.kind, 1, 2) FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer;
SELECT w FROM {both} u WHERE w LIKE 'no%' OR w ILIKE '%A_';
SELECT a.id FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer WHERE a.region LIKE '%th' AND c.kind NOT LIKE 'd%';
-- Powers of halves and below zero.
SELECT POWER(x, 1.5), POWER(x, -1), POWER(x, -0.5) FROM {both} u WHERE x > 0;
-- What does not fit is NULL.
SELECT TRY_CAST(x AS TINYINT), TRY_CAST(x * 100000000 AS INT), TRY_CAST(d AS DECIMAL(6,1)) FROM {both} u;
SELECT TRY_CAST(d AS SMALLINT), TRY_CAST(x AS BOOLEAN), TRY_CAST(t AS TIMESTAMP) FROM {both} u;
-- What is exact of a double is a key.
SELECT FLOOR((a.age + c.minutes) / 10) * 10 AS band, COUNT(*) AS n FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer GROUP BY FLOOR((a.age + c.minutes) / 10) * 10;
SELECT g, COUNT(*) AS n, SUM(m) AS m FROM (SELECT CEIL(a.age * c.minutes) - ROUND(c.minutes - a.age) AS g, c.minutes AS m FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer) q GROUP BY g ORDER BY g;
SELECT DISTINCT SIGNUM(a.balance * c.cost) AS s, TRUNC((a.age - c.minutes) / 7) AS t FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer;
SELECT CAST(a.balance + c.cost AS DOUBLE) AS x, COUNT(*) AS n FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer GROUP BY CAST(a.balance + c.cost AS DOUBLE);
SELECT COUNT(DISTINCT ABS(FLOOR((a.age - c.minutes) / 10))) AS n, COUNT(DISTINCT SIGNUM(a.age - c.minutes)) AS s FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer;
SELECT q.id, p.k FROM (SELECT a.id, FLOOR((a.age + c.minutes) / 90) AS g FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer) q JOIN (SELECT s.sale AS k, CEIL((s.sale + c.customer) / 9) AS g FROM retailer.sales s JOIN telecom.calls c ON s.customer = c.customer) p ON q.g = p.g;
SELECT CASE WHEN a.age > c.minutes THEN FLOOR((a.age - c.minutes) / 3) ELSE SIGNUM(c.minutes) END AS g, COUNT(*) FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer GROUP BY 1;
SELECT SIGNUM(c.minutes) AS s, FLOOR(a.age / 10) AS d, COUNT(*) AS n, SUM(q.m - c.minutes) AS x FROM bank.accounts a JOIN (SELECT region, AVG(age) AS m FROM bank.accounts GROUP BY region) q ON a.region = q.region JOIN telecom.calls c ON a.id = c.customer GROUP BY SIGNUM(c.minutes), FLOOR(a.age / 10)
