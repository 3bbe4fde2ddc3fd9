-- On shares: what a union of texts becomes above a join, beyond what one owner can compute.
SELECT LENGTH(v), OCTET_LENGTH(v) FROM (SELECT GREATEST(w, 'm') AS v FROM {both} u) x;
SELECT w || CASE WHEN x > 3 THEN '!' ELSE '' END FROM {both} u;
SELECT a.region || '-' || c.kind FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer;
SELECT CONCAT(a.region, c.kind, '.') FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer;
SELECT LENGTH(a.region || c.kind), UPPER(a.region || c.kind) AS u FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer;
SELECT SUBSTR(a.region || c.kind, 3, 4), LEFT(a.region || c.kind, 2) AS l, SUBSTR(a.region || c.kind, 6) AS s FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer;
SELECT LOWER(UPPER(MIN(a.region))), MAX(c.kind) || '?' AS q FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer;
SELECT m, LENGTH(m) FROM (SELECT kind, MIN(region) AS m FROM (SELECT a.region, c.kind FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer) j GROUP BY kind) g WHERE m LIKE 'e%';
SELECT k FROM (SELECT a.region || c.kind AS k FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer) j WHERE k LIKE 'north%';
SELECT k FROM (SELECT a.region || c.kind AS k FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer) j WHERE k LIKE '%voice';
SELECT k FROM (SELECT a.region || c.kind AS k FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer) j WHERE k LIKE '%t%t%' AND k NOT LIKE '%th%';
SELECT k FROM (SELECT a.region || c.kind AS k FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer) j WHERE k LIKE '_e_t%a_a' OR k ILIKE 'EAST%';
SELECT k, COUNT(*) FROM (SELECT SUBSTR(a.region || c.kind, 1, 2) AS k FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer) j GROUP BY k;
SELECT k FROM (SELECT a.region || c.kind AS k FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer) j WHERE k IN ('northdata', 'eastvoice', 'x') OR k = 'southtext';
SELECT DISTINCT k FROM (SELECT a.region || c.kind AS k FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer) j ORDER BY k;
SELECT GREATEST(w, 'm') < 'n', GREATEST(w, 'm') BETWEEN 'a' AND 'o' AS t FROM {both} u;
-- Parts and places.
SELECT RIGHT(v, 2), RIGHT(v, 0) AS n, RIGHT(v, 99) AS a, REVERSE(v) FROM (SELECT GREATEST(w, 'm') AS v FROM {both} u) x;
SELECT STRPOS(v, 'th'), STRPOS(v, 'x'), POSITION('' IN v) AS e FROM (SELECT GREATEST(w, 'm') AS v FROM {both} u) x;
SELECT STARTS_WITH(v, 'we'), ENDS_WITH(v, 'th'), CONTAINS(v, 'es') FROM (SELECT GREATEST(w, 'm') AS v FROM {both} u) x;
-- Without some signs, or with others.
SELECT TRIM(v), LTRIM(v, 'nso') AS l, RTRIM(v, 'ht') AS r, BTRIM(v, 'abcdefghijklmnopqrstuvwxyz') AS b FROM (SELECT GREATEST(w, 'm') AS v FROM {both} u) x;
SELECT TRIM(LEADING 'w' FROM v), TRIM(TRAILING 't' FROM v) AS t FROM (SELECT GREATEST(w, 'm') AS v FROM {both} u) x;
SELECT REPLACE(v, 'th', 'ht'), TRANSLATE(v, 'th', 'ht') AS t FROM (SELECT GREATEST(w, 'm') AS v FROM {both} u) x;
-- Numbers, truths and dates in words.
SELECT CAST(x AS VARCHAR), CAST(b AS VARCHAR), CAST(t AS VARCHAR), CAST(d AS VARCHAR) FROM {both} u;
SELECT 'n' || CAST(x AS VARCHAR), CONCAT('n', x, '/', b) AS c, LENGTH(CAST(d AS VARCHAR)) AS l FROM {both} u;
SELECT CAST(x AS VARCHAR) AS k, COUNT(*) FROM {both} u GROUP BY CAST(x AS VARCHAR);
SELECT i FROM {both} u WHERE CAST(x AS VARCHAR) LIKE '%7' OR CAST(t AS VARCHAR) LIKE '2020-02%';
SELECT c.customer, q.all_kinds FROM (SELECT STRING_AGG(category, ', ' ORDER BY sku) AS all_kinds, MIN(price) AS p FROM retailer.products) q CROSS JOIN telecom.calls c WHERE c.minutes > 500
