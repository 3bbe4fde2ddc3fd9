SELECT id, balance FROM bank.accounts ORDER BY balance DESC, id;
SELECT x FROM (SELECT id AS x FROM bank.accounts UNION ALL SELECT minutes FROM telecom.calls) u ORDER BY x;
SELECT x FROM (SELECT id AS x FROM bank.accounts UNION ALL SELECT minutes FROM telecom.calls) u ORDER BY x DESC NULLS LAST;
SELECT x FROM (SELECT age AS x FROM bank.accounts UNION ALL SELECT qty FROM retailer.sales) u ORDER BY x NULLS FIRST;
SELECT a.id, c.minutes FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer ORDER BY c.minutes DESC, a.id, c.cost LIMIT 7;
SELECT a.region, COUNT(*) AS n FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer GROUP BY a.region ORDER BY n DESC, a.region;
SELECT w FROM (SELECT region AS w FROM bank.accounts UNION ALL SELECT kind FROM telecom.calls) u ORDER BY w LIMIT 20;
SELECT x FROM (SELECT id AS x FROM bank.accounts UNION ALL SELECT minutes FROM telecom.calls) u ORDER BY x LIMIT 5 OFFSET 10;
SELECT x FROM (SELECT big AS x FROM telecom.extremes UNION ALL SELECT id FROM bank.accounts) u ORDER BY x LIMIT 100;
-- DISTINCT.
SELECT DISTINCT region FROM bank.accounts;
SELECT DISTINCT w FROM (SELECT region AS w FROM bank.accounts UNION ALL SELECT region FROM telecom.calls) u;
SELECT DISTINCT x, y FROM (SELECT age AS x, active AS y FROM bank.accounts UNION ALL SELECT qty, TRUE FROM retailer.sales) u;
-- UNION ALL.
SELECT id AS x, region AS w FROM bank.accounts UNION ALL SELECT customer, kind FROM telecom.calls UNION ALL SELECT customer, sku FROM retailer.sales;
SELECT customer FROM telecom.nothing UNION ALL SELECT id FROM bank.one;
-- LIMIT without an order keeps a number of rows.
SELECT COUNT(*) FROM (SELECT x FROM (SELECT id AS x FROM bank.accounts UNION ALL SELECT minutes FROM telecom.calls) u LIMIT 9) v;
