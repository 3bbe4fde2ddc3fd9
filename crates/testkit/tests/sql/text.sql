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
