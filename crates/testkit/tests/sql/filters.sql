-- At one owner.
SELECT id, region FROM bank.accounts WHERE age > 30;
SELECT id FROM bank.accounts WHERE region = 'north' OR region IS NULL;
SELECT id FROM bank.accounts WHERE region LIKE '%th' AND active;
SELECT * FROM telecom.nothing;
SELECT * FROM bank.one WHERE word = 'nothing';
-- On shares.
SELECT x FROM (SELECT id AS x FROM bank.accounts UNION ALL SELECT minutes FROM telecom.calls) u WHERE x % 2 = 0 AND x > 5;
SELECT a.id, c.minutes FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer WHERE a.age < c.minutes;
SELECT a.id, c.minutes FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer WHERE a.region = c.region;
SELECT a.id, c.kind FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer WHERE a.region IN ('north', 'east') OR c.kind IN ('text', 'data');
SELECT x FROM (SELECT age AS x FROM bank.accounts UNION ALL SELECT qty FROM retailer.sales) u WHERE x BETWEEN 2 AND 40;
SELECT x FROM (SELECT age AS x FROM bank.accounts UNION ALL SELECT qty FROM retailer.sales) u WHERE x NOT BETWEEN 2 AND 40;
SELECT x FROM (SELECT age AS x FROM bank.accounts UNION ALL SELECT qty FROM retailer.sales) u WHERE x NOT IN (1, 2, 3);
SELECT x FROM (SELECT age AS x FROM bank.accounts UNION ALL SELECT qty FROM retailer.sales) u WHERE NOT (x > 3 OR x IS NULL);
SELECT d FROM (SELECT opened AS d FROM bank.accounts UNION ALL SELECT day FROM telecom.calls) u WHERE d BETWEEN DATE '2019-12-01' AND DATE '2021-03-31';
SELECT x FROM (SELECT id AS x FROM bank.accounts UNION ALL SELECT big FROM telecom.extremes) u WHERE x > 1000 OR x < -1000;
SELECT x FROM (SELECT customer AS x FROM telecom.nothing UNION ALL SELECT id FROM bank.one) u WHERE x = 1;
SELECT w FROM (SELECT region AS w FROM bank.accounts UNION ALL SELECT kind FROM telecom.calls) u WHERE w <> 'north';
