-- Zero has two signs, and is one number.
SELECT t.i, u.i FROM bank.corners t JOIN telecom.corners u ON t.f = u.f;
SELECT u.f, COUNT(*) FROM {pairs} GROUP BY u.f;
SELECT COUNT(DISTINCT u.f), MIN(u.f), MAX(t.f) FROM {pairs};
SELECT t.i, t.f < u.f, t.f = u.f, t.f >= u.f FROM bank.corners t JOIN telecom.corners u ON t.tie = u.tie;
SELECT t.i FROM {pairs} WHERE CASE WHEN u.tie >= 0 THEN t.f END = CAST(0 AS DOUBLE);
SELECT t.i FROM {pairs} WHERE CASE WHEN u.tie >= 0 THEN t.f END = -CAST(0 AS DOUBLE);
-- Doubles that their owner computes keep their bits.
SELECT CAST(k AS DOUBLE) / 1e20, CAST(k AS DOUBLE) * 1e30 FROM bank.corners;
SELECT t.i FROM {pairs} ORDER BY CAST(t.k AS DOUBLE) / 1e20 DESC;
SELECT t.i, CAST(t.k AS DOUBLE) / 7e25 < CAST(u.k AS DOUBLE) / 6e25, CAST(t.k AS DOUBLE) / 7e25 = CAST(u.k AS DOUBLE) / 7e25 FROM {pairs};
SELECT COUNT(DISTINCT x), MIN(x), MAX(y) FROM (SELECT CAST(t.k AS DOUBLE) / 3e20 AS x, CAST(u.k AS DOUBLE) / 7e22 AS y FROM {pairs}) q;
SELECT CAST(t.k AS DOUBLE) * 1e20 AS x FROM bank.corners t UNION ALL SELECT f FROM telecom.corners;
-- Shares compute with them too, to 2^-52.
SELECT SUM(t.k) / 7e0 * 3e0, (t.k / 7e0) * u.k + u.tie / 3e0 FROM {pairs} GROUP BY t.k, u.k, u.tie
;
-- What has a name is computed once: copies agree in their ties.
WITH c AS (SELECT t.i FROM {pairs} LIMIT 3) SELECT COUNT(*) FROM c c1 JOIN c c2 ON c1.i = c2.i;
WITH c AS (SELECT t.i, u.tie FROM {pairs} ORDER BY u.tie LIMIT 3) SELECT COUNT(*), SUM(c2.tie) FROM c c1 JOIN c c2 ON c1.i = c2.i;
WITH c AS (SELECT t.i, ROW_NUMBER() OVER (ORDER BY u.tie) AS rn FROM {pairs}) SELECT COUNT(*) FROM c c1 JOIN c c2 ON c1.i = c2.i AND c1.rn = c2.rn;
WITH c AS (SELECT t.i, t.k, FIRST_VALUE(u.i) OVER () AS f FROM {pairs}) SELECT COUNT(*), MIN(c2.k) FROM c c1 JOIN c c2 ON c1.i = c2.i AND c1.f = c2.f;
WITH c AS (SELECT t.i FROM {pairs} LIMIT 4) SELECT (SELECT SUM(i) FROM c) - (SELECT SUM(i) FROM c) AS d, (SELECT COUNT(*) FROM (SELECT i FROM c UNION SELECT i FROM c) q) AS n;
WITH c AS (SELECT t.i, u.word FROM {pairs} LIMIT 4) SELECT COUNT(*) FROM (SELECT i FROM c WHERE i > 2 UNION ALL SELECT i FROM c WHERE i <= 2) q;
WITH c AS (SELECT t.i, t.k * u.k AS p FROM {pairs} ORDER BY t.tie LIMIT 2) SELECT COUNT(*) FROM (SELECT t.i FROM {pairs} WHERE t.i IN (SELECT i FROM c)) a JOIN c ON a.i = c.i WHERE c.p > 0;
WITH c AS (SELECT t.i, u.tie FROM {pairs} ORDER BY u.tie LIMIT 3), d AS (SELECT i + 1 AS j FROM c) SELECT COUNT(*) FROM d d1 JOIN d d2 ON d1.j = d2.j JOIN c ON c.i + 1 = d1.j;
WITH g AS (SELECT t.tie, SUM(u.k) AS s FROM {pairs} GROUP BY t.tie) SELECT a.tie, b.tie, a.s - b.s AS d FROM g a JOIN g b ON a.s >= b.s;
-- One window has one order, whichever way its frames go.
SELECT rn + rest, COUNT(*) FROM (SELECT ROW_NUMBER() OVER (ORDER BY u.tie) AS rn, COUNT(*) OVER (ORDER BY u.tie ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS rest FROM {pairs}) q GROUP BY rn + rest;
SELECT s - v, COUNT(*) FROM (SELECT t.tie, SUM(u.k) OVER (PARTITION BY t.tie ORDER BY u.tie ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS s, SUM(u.k) OVER (PARTITION BY t.tie ORDER BY u.tie) - SUM(u.k) OVER (PARTITION BY t.tie ORDER BY u.tie ROWS UNBOUNDED PRECEDING) AS v FROM {pairs}) q GROUP BY s - v;
SELECT t.i, SUM(u.k) OVER (ORDER BY t.tie RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS s, RANK() OVER (ORDER BY t.tie) AS r FROM {pairs};
-- Times of other units.
SELECT CAST(MAX(GREATEST(t.at, u.at)) AS TIMESTAMP(0)) AS s, CAST(MIN(LEAST(t.old, u.old)) AS TIMESTAMP(3)) AS m FROM {pairs};
SELECT t.i, CAST(GREATEST(t.old, u.old) AS TIMESTAMP(0)) AS s, TRY_CAST(GREATEST(t.at, u.at) AS TIMESTAMP(3)) AS m FROM {pairs};
SELECT t.i FROM {pairs} WHERE GREATEST(t.at, u.at)::TIMESTAMP(0) = TIMESTAMP '2024-02-29T12:29:59';
SELECT i, CAST(at AS TIMESTAMP(0)) AS s, CAST(old AS TIMESTAMP(3)) AS m FROM bank.corners;
SELECT COUNT(*) FROM (SELECT CAST(at AS TIMESTAMP(0)) AS s FROM (SELECT DISTINCT at FROM bank.corners) d) q JOIN (SELECT k, CAST(at AS TIMESTAMP(0)) AS s FROM telecom.corners) w ON q.s = w.s;
-- Nothing is found in every text, and in no NULL.
SELECT SUM(STRPOS(t.word || u.word, '')), AVG(STRPOS(t.word || u.word, '')), COUNT(STRPOS(t.word, '')) FROM {pairs};
-- Shifts go round by the width of their type.
SELECT COUNT(*) >> -1, COUNT(*) >> 64, COUNT(*) >> 65, COUNT(*) << 62, COUNT(*) << -63, 3 >> COUNT(*), 5 << (COUNT(*) * 16) FROM {pairs};
SELECT CAST(t.k AS SMALLINT) << CAST(14 AS SMALLINT) AS l, CAST(t.k AS SMALLINT) >> CAST(17 AS SMALLINT) AS r FROM {pairs};
SELECT COUNT(*) >> -1, COUNT(*) >> 64 FROM bank.corners;
-- Nothing beside doubles.
SELECT t.f FROM {pairs} UNION ALL SELECT CAST(NULL AS DOUBLE) AS f;
-- Letters of several bytes, at their owner.
SELECT LEFT(name, 1), SUBSTR(name, 1, 3), RIGHT(name, 2), OCTET_LENGTH(LEFT(name, 1)), UPPER(name), LENGTH(UPPER(name)) FROM bank.corners;
SELECT LEFT(name, 1), COUNT(*) FROM bank.corners GROUP BY LEFT(name, 1);
SELECT t.l, u.k FROM (SELECT k, LEFT(name, 1) AS l FROM bank.corners) t JOIN telecom.corners u ON t.k = u.k;
-- Long texts, at their owner.
SELECT i, LAG(long) OVER (ORDER BY i) AS a, LEAD(long, 1, 'none') OVER (ORDER BY i) AS b, FIRST_VALUE(long) OVER (ORDER BY i) AS c, NTH_VALUE(long, 2) OVER (ORDER BY i) AS d FROM bank.corners;
SELECT tie, FIRST_VALUE(long ORDER BY i), LAST_VALUE(long ORDER BY i) FROM bank.corners GROUP BY tie;
SELECT RPAD(word, 70, 'xy'), LPAD(word, 80), REPEAT(long, 3) FROM bank.corners;
-- Parts of a span of time have no calendar's bounds.
SELECT i, date_part('day', at - old) AS d, date_part('hour', at - old) AS h FROM bank.corners;
-- Sums of different values beside other aggregates, at their owner.
SELECT SUM(DISTINCT tie), COUNT(*), AVG(DISTINCT k), SUM(DISTINCT tie * 1.25), AVG(DISTINCT k * 1.25), SUM(k) FROM bank.corners;
SELECT tie, SUM(DISTINCT k % 2), COUNT(*), SUM(DISTINCT k) FROM bank.corners GROUP BY tie;
-- A table again beside a derived table of it.
SELECT COUNT(*) FROM (SELECT u.k FROM bank.corners t JOIN telecom.corners u ON t.k = u.k) q JOIN bank.corners t ON q.k = t.k;

-- What only its owner can do, or fails on shares alone, above a join.
SELECT t.k, CAST(t.f AS DECIMAL(18,4)), CAST(u.f AS INT) FROM {pairs};
SELECT SUM(CAST(t.f AS DECIMAL(18,4))), AVG(CAST(u.f AS DECIMAL(18,2)) * 2) FROM {pairs};
SELECT t.k FROM {pairs} WHERE CAST(t.f AS DECIMAL(18,4)) > CAST(u.k AS DECIMAL(18,4)) - 2;
SELECT t.k, UPPER(t.name), LEFT(u.name, 1), SUBSTR(t.name, 2, 1), REVERSE(u.name) FROM {pairs};
SELECT UPPER(t.name) AS g, COUNT(*) FROM {pairs} GROUP BY g;
SELECT t.k, u.k FROM bank.corners t JOIN telecom.corners u ON LOWER(t.name) = LOWER(u.name);
SELECT c.customer, c.minutes - (SELECT AVG(minutes) FROM telecom.calls) AS d, c.minutes > (SELECT AVG(age) FROM bank.accounts) AS more FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer;
SELECT a.id, q.m * c.cost AS p, q.t + c.minutes AS s, q.most / 7 AS x FROM bank.accounts a JOIN (SELECT region, AVG(age) AS m, SUM(SQRT(ABS(age))) AS t, MAX(LN(ABS(age) + 1)) AS most FROM bank.accounts GROUP BY region) q ON a.region = q.region JOIN telecom.calls c ON a.id = c.customer;
SELECT SUM(q.m * c.minutes) AS s, MAX(q.m - c.minutes) AS h, AVG(c.cost / q.m) AS r FROM (SELECT id, AVG(CAST(age AS DOUBLE)) + 100 AS m FROM bank.accounts GROUP BY id) q JOIN telecom.calls c ON q.id = c.customer
