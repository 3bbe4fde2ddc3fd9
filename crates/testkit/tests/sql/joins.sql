SELECT a.id, c.minutes FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer;
SELECT a.id, a.region, a.balance, c.minutes, c.cost, c.day FROM telecom.calls c JOIN bank.accounts a ON c.customer = a.id;
SELECT c.minutes, a.age FROM telecom.calls c LEFT JOIN bank.accounts a ON c.customer = a.id;
SELECT c.minutes, a.region, a.balance, a.active FROM telecom.calls c LEFT JOIN bank.accounts a ON c.customer = a.id;
-- Strings as keys.
SELECT s.sale, p.category, p.price FROM retailer.sales s JOIN retailer.products p ON s.sku = p.sku;
SELECT s.sale, p.price FROM retailer.sales s LEFT JOIN retailer.products p ON s.sku = p.sku WHERE s.qty > 2;
-- Comma joins with WHERE.
SELECT a.id, c.kind FROM bank.accounts a, telecom.calls c WHERE a.id = c.customer AND a.age > 20;
-- Three parties.
SELECT a.region, c.minutes, s.qty FROM retailer.sales s JOIN bank.accounts a ON s.customer = a.id JOIN (SELECT customer, SUM(minutes) AS minutes FROM telecom.calls GROUP BY customer) c ON s.customer = c.customer;
SELECT s.sale, a.age, p.price FROM retailer.sales s JOIN bank.accounts a ON s.customer = a.id JOIN retailer.products p ON s.sku = p.sku;
-- Expressions over both sides, and further conditions.
SELECT a.balance + c.cost FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer;
SELECT a.id, c.minutes * a.age FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer AND c.minutes > a.age;
-- Nothing to match.
SELECT n.amount, a.id FROM telecom.nothing n JOIN bank.accounts a ON n.customer = a.id;
SELECT c.minutes, o.word FROM telecom.calls c JOIN bank.one o ON c.customer = o.id;
SELECT c.minutes, o.word FROM telecom.calls c LEFT JOIN bank.one o ON c.customer = o.id;
SELECT a.id, n.amount FROM bank.accounts a LEFT JOIN (SELECT customer, SUM(amount) AS amount FROM telecom.nothing GROUP BY customer) n ON a.id = n.customer;
-- A side made unique by grouping.
SELECT a.id, t.total FROM bank.accounts a JOIN (SELECT customer, SUM(cost) AS total FROM telecom.calls GROUP BY customer) t ON a.id = t.customer;
-- Dates as keys.
SELECT a.id, e.big FROM bank.accounts a JOIN telecom.extremes e ON a.id = e.id;
-- What is NULL without a match is computed below an outer join, by its owner.
SELECT s.sale, INITCAP(p.category) AS c, REVERSE(p.sku) AS r FROM retailer.sales s LEFT JOIN bank.one o ON s.customer = o.id LEFT JOIN retailer.products p ON s.sku = p.sku;
SELECT c.customer, INITCAP(a.region) AS r, CAST(a.age AS DOUBLE) / 1e20 AS x FROM telecom.calls c LEFT JOIN bank.accounts a ON c.customer = a.id;
SELECT INITCAP(a.region) AS r, FLOOR(a.age / 10) * 10 AS g, COUNT(*), COUNT(a.id) FROM telecom.calls c LEFT JOIN bank.accounts a ON c.customer = a.id GROUP BY INITCAP(a.region), FLOOR(a.age / 10) * 10;
SELECT a.id, INITCAP(a.region) AS r, INITCAP(c.kind) AS k FROM bank.accounts a FULL JOIN telecom.calls c ON a.id = c.customer;
SELECT c.customer, COALESCE(a.region, 'none') AS r, CASE WHEN a.age > 30 THEN 'old' ELSE 'young' END AS o, a.region IS NULL AS n, CONCAT(a.region, '!') AS t FROM telecom.calls c LEFT JOIN bank.accounts a ON c.customer = a.id;
SELECT s.sale, INITCAP(q.region) AS r FROM retailer.sales s LEFT JOIN (SELECT c.customer, a.region, c.minutes FROM telecom.calls c JOIN bank.accounts a ON c.customer = a.id WHERE c.minutes > 300) q ON s.customer = q.customer
