-- Neither side is unique.
SELECT c.minutes, s.qty FROM telecom.calls c JOIN retailer.sales s ON c.customer = s.customer;
SELECT c.minutes, s.qty, c.kind, s.sku FROM telecom.calls c LEFT JOIN retailer.sales s ON c.customer = s.customer;
SELECT c.minutes, s.qty, s.sku FROM telecom.calls c RIGHT JOIN retailer.sales s ON c.customer = s.customer;
SELECT c.minutes, s.qty, c.customer, s.customer FROM telecom.calls c FULL JOIN retailer.sales s ON c.customer = s.customer;
SELECT a.region, c.region, a.age, c.minutes FROM bank.accounts a JOIN telecom.calls c ON a.region = c.region;
SELECT a.region, COUNT(*), SUM(c.minutes) FROM bank.accounts a JOIN telecom.calls c ON a.region = c.region GROUP BY a.region;
SELECT a.id, c.minutes FROM bank.accounts a JOIN telecom.calls c ON a.region = c.region AND a.age < c.minutes;
SELECT a.id, c.minutes FROM bank.accounts a LEFT JOIN telecom.calls c ON a.region = c.region AND a.age > c.minutes;
SELECT a.id, c.minutes FROM bank.accounts a RIGHT JOIN telecom.calls c ON a.region = c.region AND a.age > c.minutes;
SELECT a.id, c.minutes, c.day FROM bank.accounts a FULL JOIN telecom.calls c ON a.region = c.region AND a.age > c.minutes;
-- Full joins by a unique key, and conditions on outer joins.
SELECT a.id, a.age, c.minutes FROM bank.accounts a FULL JOIN telecom.calls c ON a.id = c.customer;
SELECT a.id, a.age, c.minutes FROM telecom.calls c FULL JOIN bank.accounts a ON a.id = c.customer;
SELECT a.id, e.big FROM bank.accounts a FULL JOIN telecom.extremes e ON a.id = e.id;
SELECT a.id, c.minutes FROM bank.accounts a LEFT JOIN telecom.calls c ON a.id = c.customer AND c.minutes > a.age;
SELECT a.id, c.minutes FROM telecom.calls c LEFT JOIN bank.accounts a ON a.id = c.customer AND c.minutes > a.age;
SELECT a.id, c.minutes FROM telecom.calls c FULL JOIN bank.accounts a ON a.id = c.customer AND c.minutes > a.age;
SELECT a.id, c.minutes FROM bank.accounts a FULL JOIN telecom.calls c ON a.id = c.customer AND c.minutes > a.age;
SELECT a.id, c.minutes FROM bank.accounts a LEFT JOIN telecom.calls c ON a.id = c.customer AND a.age > 30;
-- Several keys, expressions as keys.
SELECT a.id, c.minutes FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer AND a.region = c.region;
SELECT a.id, s.sale FROM bank.accounts a LEFT JOIN retailer.sales s ON a.id = s.customer AND a.age = s.qty;
SELECT a.id, c.minutes FROM bank.accounts a FULL JOIN telecom.calls c ON a.id = c.customer AND a.region = c.region;
SELECT a.id, s.sale FROM bank.accounts a JOIN retailer.sales s ON a.id + 1 = s.customer + 1 AND a.age % 3 = s.qty % 3;
-- USING and NATURAL.
SELECT * FROM telecom.calls JOIN retailer.sales USING (customer);
SELECT customer, minutes, qty FROM telecom.calls LEFT JOIN retailer.sales USING (customer);
SELECT customer, minutes, qty FROM telecom.calls FULL JOIN retailer.sales USING (customer);
SELECT region, age, minutes FROM bank.accounts NATURAL JOIN telecom.calls;
SELECT id, word, big FROM bank.one NATURAL JOIN telecom.extremes;
SELECT id, word, big FROM bank.one NATURAL FULL JOIN telecom.extremes;
-- With itself.
SELECT x.id, y.id FROM bank.accounts x JOIN bank.accounts y ON x.region = y.region AND x.id < y.id;
SELECT x.age, y.age FROM (SELECT a.age, c.minutes FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer) x JOIN (SELECT a.age, c.minutes FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer) y ON x.minutes = y.minutes;
-- Cross joins and ranges.
SELECT e.id, p.sku FROM telecom.extremes e CROSS JOIN retailer.products p;
SELECT o.word, c.minutes FROM bank.one o CROSS JOIN telecom.calls c;
SELECT e.id, p.sku, o.word FROM telecom.extremes e, retailer.products p, bank.one o;
SELECT e.id, p.price FROM telecom.extremes e JOIN retailer.products p ON p.price > e.id * 10;
SELECT e.id, p.price FROM telecom.extremes e LEFT JOIN retailer.products p ON p.price BETWEEN e.id AND e.small;
SELECT e.id, p.price FROM telecom.extremes e FULL JOIN retailer.products p ON p.price < e.small OR p.sku = 'a1' AND e.id = 2;
SELECT a.id, c.minutes FROM bank.accounts a JOIN telecom.calls c ON c.day BETWEEN a.opened AND a.opened + INTERVAL '20' DAY;
SELECT COUNT(*), SUM(c.minutes) FROM bank.accounts a JOIN telecom.calls c ON c.minutes < a.age;
SELECT e.id, n.amount FROM telecom.extremes e LEFT JOIN telecom.nothing n ON n.amount > e.id;
SELECT a.id, n.amount FROM bank.accounts a FULL JOIN telecom.nothing n ON n.customer = a.id;
SELECT a.id, o.word FROM bank.accounts a LEFT JOIN (SELECT * FROM telecom.extremes LIMIT 1) e ON e.id > a.age LEFT JOIN bank.one o ON o.id = e.id;
SELECT t.total, a.id FROM (SELECT SUM(minutes) AS total FROM telecom.calls) t RIGHT JOIN bank.accounts a ON a.age > t.total - 15000;
SELECT t.total, a.id FROM (SELECT SUM(minutes) AS total FROM telecom.calls) t FULL JOIN bank.accounts a ON a.age > t.total;
SELECT t.total, a.id FROM (SELECT SUM(minutes) AS total FROM telecom.calls) t LEFT JOIN bank.accounts a ON a.age > t.total;
