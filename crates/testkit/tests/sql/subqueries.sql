-- EXISTS and IN.
SELECT a.id FROM bank.accounts a WHERE EXISTS (SELECT 1 FROM telecom.calls c WHERE c.customer = a.id);
SELECT a.id FROM bank.accounts a WHERE NOT EXISTS (SELECT 1 FROM telecom.calls c WHERE c.customer = a.id);
SELECT a.id FROM bank.accounts a WHERE a.id IN (SELECT customer FROM telecom.calls WHERE minutes > 100);
SELECT a.id FROM bank.accounts a WHERE a.region IN (SELECT region FROM telecom.calls);
SELECT a.id FROM bank.accounts a WHERE a.region IN (SELECT c.region FROM telecom.calls c WHERE c.customer = a.id);
SELECT c.minutes FROM telecom.calls c WHERE c.region NOT IN (SELECT region FROM bank.accounts WHERE region IS NOT NULL);
SELECT c.minutes FROM telecom.calls c WHERE c.region NOT IN (SELECT region FROM bank.accounts);
SELECT c.minutes FROM telecom.calls c WHERE c.region NOT IN (SELECT region FROM bank.accounts WHERE region IN ('south', 'north'));
SELECT c.minutes FROM telecom.calls c WHERE c.region NOT IN (SELECT region FROM bank.accounts WHERE id > 1000);
SELECT c.minutes FROM telecom.calls c WHERE c.customer NOT IN (SELECT id FROM bank.accounts);
SELECT a.id FROM bank.accounts a WHERE a.id NOT IN (SELECT customer FROM telecom.nothing);
SELECT c.minutes FROM telecom.calls c WHERE c.customer NOT IN (SELECT customer FROM retailer.sales);
SELECT a.id FROM bank.accounts a WHERE EXISTS (SELECT 1 FROM telecom.calls);
SELECT a.id FROM bank.accounts a WHERE NOT EXISTS (SELECT 1 FROM telecom.calls WHERE minutes > 10000);
-- With a condition beside the equality, or instead of it.
SELECT a.id FROM bank.accounts a WHERE EXISTS (SELECT 1 FROM telecom.calls c WHERE c.customer = a.id AND c.minutes > a.age);
SELECT a.id FROM bank.accounts a WHERE NOT EXISTS (SELECT 1 FROM telecom.calls c WHERE c.customer = a.id AND c.minutes <= a.age);
SELECT a.id FROM bank.accounts a WHERE EXISTS (SELECT 1 FROM telecom.calls c WHERE c.customer = a.id AND c.region <> a.region);
SELECT c.minutes FROM telecom.calls c WHERE NOT EXISTS (SELECT 1 FROM retailer.sales s WHERE s.customer = c.customer AND s.qty <> c.minutes % 5);
SELECT c.minutes FROM telecom.calls c WHERE EXISTS (SELECT 1 FROM retailer.sales s WHERE s.customer = c.customer AND s.qty + c.minutes > 40 AND s.qty * 2 < c.minutes);
SELECT c.minutes FROM telecom.calls c WHERE NOT EXISTS (SELECT 1 FROM retailer.sales s WHERE s.customer = c.customer AND s.qty + c.minutes > 40);
SELECT e.id FROM telecom.extremes e WHERE EXISTS (SELECT 1 FROM retailer.products p WHERE p.price < e.small);
SELECT e.id FROM telecom.extremes e WHERE NOT EXISTS (SELECT 1 FROM retailer.products p WHERE p.price >= e.small);
SELECT e.id FROM telecom.extremes e WHERE EXISTS (SELECT 1 FROM retailer.products p WHERE p.price < e.small AND p.price + e.id > 10);
SELECT e.id FROM telecom.extremes e WHERE NOT EXISTS (SELECT 1 FROM telecom.nothing n WHERE n.amount <> e.small);
-- A bare truth as a condition, on shares.
SELECT x.id FROM (SELECT a.id, a.active, c.minutes FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer) x WHERE x.active AND x.minutes IS NOT NULL;
SELECT x.id FROM (SELECT a.id, a.active, c.minutes + a.age > 80 AS long FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer) x WHERE x.long;
-- Inside OR.
SELECT a.id FROM bank.accounts a WHERE a.age > 50 OR EXISTS (SELECT 1 FROM telecom.calls c WHERE c.customer = a.id);
SELECT a.id FROM bank.accounts a WHERE a.age > 50 OR a.id IN (SELECT customer FROM telecom.calls WHERE minutes > 100);
SELECT a.id FROM bank.accounts a WHERE a.active OR NOT EXISTS (SELECT 1 FROM telecom.calls c WHERE c.customer = a.id AND c.minutes > a.age);
SELECT c.minutes FROM telecom.calls c WHERE c.kind = 'data' OR EXISTS (SELECT 1 FROM retailer.sales s WHERE s.customer = c.customer AND s.qty + c.minutes > 40);
-- Scalar subqueries.
SELECT c.minutes FROM telecom.calls c WHERE c.minutes > (SELECT MAX(age) FROM bank.accounts);
SELECT c.minutes, (SELECT MAX(age) FROM bank.accounts) AS oldest FROM telecom.calls c;
SELECT a.id FROM bank.accounts a WHERE a.balance > (SELECT SUM(c.cost) FROM telecom.calls c WHERE c.customer = a.id);
SELECT a.id, (SELECT SUM(c.minutes) FROM telecom.calls c WHERE c.customer = a.id) AS minutes FROM bank.accounts a;
SELECT a.id, (SELECT COUNT(*) FROM telecom.calls c WHERE c.customer = a.id) AS calls FROM bank.accounts a;
SELECT a.id FROM bank.accounts a WHERE a.age < (SELECT COUNT(*) * 10 FROM telecom.calls c WHERE c.customer = a.id);
SELECT a.region, SUM(a.balance) FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer GROUP BY a.region HAVING COUNT(*) > (SELECT COUNT(*) / 8 FROM retailer.sales);
SELECT x.id FROM (SELECT a.id, a.age FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer) x WHERE x.age > (SELECT AVG(a.age) FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer);
SELECT a.id FROM bank.accounts a WHERE a.age = (SELECT MIN(c.minutes) FROM telecom.calls c WHERE c.minutes > 1000);
-- CTEs and derived tables.
WITH t AS (SELECT customer, SUM(minutes) AS total FROM telecom.calls GROUP BY customer) SELECT a.id, t.total FROM bank.accounts a JOIN t ON a.id = t.customer WHERE t.total = (SELECT MAX(total) FROM t);
WITH m AS (SELECT a.id, a.region, c.minutes FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer) SELECT region, MAX(minutes) FROM m WHERE minutes < (SELECT MAX(minutes) FROM m) GROUP BY region;
SELECT d.region, d.n FROM (SELECT a.region, COUNT(*) AS n FROM bank.accounts a LEFT JOIN retailer.sales s ON a.id = s.customer GROUP BY a.region) d WHERE d.n > 5;
