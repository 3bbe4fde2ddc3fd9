-- At one owner, then only opened.
SELECT region, COUNT(*), SUM(balance) FROM bank.accounts GROUP BY region;
SELECT COUNT(*) FROM telecom.nothing;
-- Over several parties' rows.
SELECT COUNT(*), COUNT(x), SUM(x), MIN(x), MAX(x), AVG(x) FROM (SELECT age AS x FROM bank.accounts UNION ALL SELECT qty FROM retailer.sales) u;
SELECT COUNT(*), SUM(x), MIN(x), AVG(x) FROM (SELECT customer AS x FROM telecom.nothing UNION ALL SELECT customer FROM telecom.nothing) u;
SELECT SUM(x) FROM (SELECT customer AS x FROM telecom.nothing UNION ALL SELECT id FROM bank.one) u;
SELECT a.region, COUNT(*) FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer GROUP BY a.region;
SELECT a.region, SUM(c.minutes), COUNT(c.minutes) FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer GROUP BY a.region;
SELECT a.region, c.kind, SUM(c.cost) FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer GROUP BY a.region, c.kind;
SELECT a.region, AVG(c.cost), AVG(a.balance) FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer GROUP BY a.region;
SELECT a.region, AVG(c.minutes) FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer GROUP BY a.region;
SELECT c.kind, MIN(a.balance), MAX(a.balance), MIN(c.day), MAX(c.day) FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer GROUP BY c.kind;
SELECT a.active, MIN(c.kind), MAX(a.region) FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer GROUP BY a.active;
SELECT p.category, SUM(s.qty * p.price) AS revenue FROM retailer.sales s JOIN retailer.products p ON s.sku = p.sku JOIN bank.accounts a ON s.customer = a.id GROUP BY p.category;
-- HAVING.
SELECT a.region, COUNT(*) AS n FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer GROUP BY a.region HAVING COUNT(*) > 5;
SELECT c.kind FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer GROUP BY c.kind HAVING SUM(c.minutes) > 3000 OR MIN(c.minutes) < 0;
-- Weighted means, and expressions over aggregates.
SELECT a.region, SUM(a.balance * c.minutes) / SUM(c.minutes) FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer WHERE c.minutes > 0 GROUP BY a.region;
SELECT SUM(CASE WHEN c.kind = 'voice' THEN c.minutes ELSE 0 END), SUM(CASE WHEN a.active THEN 1 ELSE 0 END) FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer;
-- Dates and numbers as group keys.
SELECT d, COUNT(*) FROM (SELECT opened AS d FROM bank.accounts UNION ALL SELECT day FROM telecom.calls) u GROUP BY d;
SELECT x % 5 AS rest, COUNT(*), SUM(x) FROM (SELECT age AS x FROM bank.accounts UNION ALL SELECT qty FROM retailer.sales) u GROUP BY x % 5;
-- Wide decimals.
SELECT MIN(w), MAX(w), COUNT(w) FROM (SELECT wide AS w FROM telecom.extremes UNION ALL SELECT wide FROM telecom.extremes) u;
-- Begun at the owners: one row per owner and group travels.
SELECT SUM(x), COUNT(*), COUNT(x), MIN(x), MAX(x) FROM (SELECT age AS x FROM bank.accounts UNION ALL SELECT qty FROM retailer.sales UNION ALL SELECT minutes FROM telecom.calls) u;
SELECT SUM(d), COUNT(d), MIN(d), MAX(d) FROM (SELECT balance AS d FROM bank.accounts WHERE id < 0 UNION ALL SELECT price FROM retailer.products WHERE price < 0) u;
SELECT d, SUM(x), COUNT(*), MIN(x) FROM (SELECT opened AS d, age AS x FROM bank.accounts UNION ALL SELECT day, minutes FROM telecom.calls) u GROUP BY d;
SELECT COUNT(*) FILTER (WHERE x > 10), SUM(x * 2) FILTER (WHERE x < 30), MIN(DISTINCT x) FROM (SELECT age AS x FROM bank.accounts UNION ALL SELECT qty FROM retailer.sales) u;
SELECT d, SUM(c) AS total FROM (SELECT region AS d, balance AS c FROM bank.accounts UNION ALL SELECT kind, cost FROM telecom.calls) u GROUP BY d HAVING SUM(c) > 0 ORDER BY total DESC LIMIT 3;
