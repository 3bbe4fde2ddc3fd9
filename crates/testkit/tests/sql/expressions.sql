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
