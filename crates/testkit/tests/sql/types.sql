-- Every type passes through, and has an order.
SELECT * FROM {kinds} k;
SELECT MIN(i8), MAX(i8), MIN(i16), MAX(i16), MIN(i32), MAX(i32), MIN(i64), MAX(i64) FROM {kinds} k;
SELECT MIN(u8), MAX(u8), MIN(u16), MAX(u16), MIN(u32), MAX(u32), MIN(u64), MAX(u64) FROM {kinds} k;
SELECT MIN(wide), MAX(wide), MIN(at), MAX(at), MIN(s), MAX(s), MIN(f), MAX(f) FROM {kinds} k;
SELECT u64, COUNT(*) FROM {kinds} k GROUP BY u64;
SELECT i FROM {kinds} k WHERE u64 > 9223372036854775807 OR i64 < -9223372036854775807;
SELECT i FROM {kinds} k ORDER BY u32 DESC NULLS LAST, i;
SELECT a.i, b.i FROM bank.kinds a JOIN telecom.kinds b ON a.u16 = b.u16;
SELECT a.i, b.i FROM bank.kinds a JOIN telecom.kinds b ON a.i8 = b.u64;
-- Sums, also beyond 64 bits.
SELECT SUM(i8), SUM(i16), SUM(i32), SUM(u8), SUM(u16), SUM(u32) FROM {kinds} k;
SELECT SUM(CAST(i64 AS DECIMAL(38,0))), SUM(CAST(u64 AS DECIMAL(38,0))) FROM {kinds} k;
SELECT n, SUM(CAST(u64 AS DECIMAL(20,0)) * 3) FROM {kinds} k GROUP BY n;
SELECT SUM(wide), AVG(CAST(wide AS DECIMAL(34,2))) FROM {kinds} k;
SELECT wide + wide, wide - 1, wide * 2, -wide FROM {kinds} k;
SELECT AVG(i64), AVG(u64), AVG(i8), AVG(u8) FROM {kinds} k;
-- Types among one another.
SELECT i8 + u8, i8 * u8, u8 - i8, u32 + i32 FROM {kinds} k;
SELECT u16 / 7, u16 % 7, i16 / 7, i16 % -7 FROM {kinds} k;
SELECT CAST(u8 AS SMALLINT), CAST(i8 AS DECIMAL(5,2)), CAST(u32 AS BIGINT) FROM {kinds} k;
SELECT CAST(u8 AS VARCHAR), CAST(i8 AS VARCHAR), CAST(i64 AS VARCHAR), CAST(u64 AS VARCHAR) FROM {kinds} k;
SELECT CAST(wide AS VARCHAR), CAST(CAST(n AS DECIMAL(6,3)) / 8 AS VARCHAR) FROM {kinds} k;
SELECT CAST(n > 3 AS VARCHAR), CAST(CAST(at AS DATE) AS VARCHAR) FROM {kinds} k;
SELECT TRY_CAST(i64 AS INT), TRY_CAST(i32 AS TINYINT), TRY_CAST(u64 AS BIGINT) FROM {kinds} k;
SELECT TRY_CAST(wide AS DECIMAL(30,2)), TRY_CAST(CAST(n AS DECIMAL(6,2)) / 8 AS DECIMAL(3,1)) FROM {kinds} k;
SELECT TRY_CAST(i8 AS TINYINT), TRY_CAST(n / 2.0 AS SMALLINT) FROM {kinds} k;
-- Bits.
SELECT BIT_AND(i8), BIT_OR(i8), BIT_XOR(i8), BIT_AND(u64), BIT_OR(u64), BIT_XOR(u64) FROM {kinds} k;
SELECT s, BIT_AND(n), BIT_OR(u8), BIT_XOR(i16) FROM {kinds} k GROUP BY s;
SELECT BIT_OR(n) FILTER (WHERE n > 3), BIT_AND(i32) FROM {kinds} k WHERE i < 0;
-- Doubles of tables: their order, not their arithmetic.
SELECT f, COUNT(*) FROM {kinds} k GROUP BY f;
SELECT DISTINCT f FROM {kinds} k;
SELECT i, f FROM {kinds} k ORDER BY f, i;
SELECT i, f FROM {kinds} k ORDER BY f DESC NULLS LAST, i LIMIT 7;
SELECT COUNT(DISTINCT f), MIN(f), MAX(f), COUNT(f) FROM {kinds} k;
SELECT s, MIN(f), MAX(f), FIRST_VALUE(f ORDER BY i) FROM {kinds} k GROUP BY s;
SELECT i FROM {kinds} k WHERE f > CAST(0.25 AS DOUBLE) AND f <= CAST(1000000 AS DOUBLE);
SELECT i FROM {kinds} k WHERE f IN (CAST(0.1 AS DOUBLE), CAST(-7.25 AS DOUBLE), CAST(1.5 AS DOUBLE), 99, 3) OR f = CAST(-0.5 AS DOUBLE);
SELECT i, CASE WHEN f > 1 THEN f ELSE CAST(-1.5 AS DOUBLE) END, COALESCE(f, 0), NULLIF(f, CAST(0.5 AS DOUBLE)), GREATEST(f, CAST(0.3 AS DOUBLE)) FROM {kinds} k;
SELECT a.i, b.i FROM bank.kinds a JOIN telecom.kinds b ON a.f = b.f;
SELECT a.i, b.i FROM bank.kinds a LEFT JOIN telecom.kinds b ON a.f < b.f AND a.n = b.n;
SELECT a.i FROM bank.kinds a WHERE a.f NOT IN (SELECT f FROM telecom.kinds WHERE f IS NOT NULL);
SELECT i, RANK() OVER (ORDER BY f), LAG(f) OVER (ORDER BY i), MAX(f) OVER (PARTITION BY s ORDER BY i) FROM {kinds} k;
SELECT f FROM bank.kinds INTERSECT SELECT f FROM telecom.kinds;
-- Times.
SELECT i, at + INTERVAL '36' HOUR, CAST(at AS DATE), DATE_TRUNC('hour', at), EXTRACT(HOUR FROM at) AS h FROM {kinds} k;
SELECT CAST(at AS DATE), COUNT(*) FROM {kinds} k WHERE at >= TIMESTAMP '2021-01-01 00:00:00' GROUP BY CAST(at AS DATE);
SELECT i, COUNT(*) OVER (ORDER BY at RANGE BETWEEN INTERVAL '400' DAY PRECEDING AND INTERVAL '12' HOUR PRECEDING) FROM {kinds} k;
-- Text that is changed.
SELECT i, TRIM(g), LTRIM(g), RTRIM(g), LENGTH(TRIM(g)) FROM (SELECT i, GREATEST(s, ' ') AS g FROM {kinds} k) t;
SELECT i, BTRIM(g, 'z ') AS b, REPLACE(g, 'X', '_') AS r, TRANSLATE(g, 'abX_', 'ABx-') AS t FROM (SELECT i, GREATEST(s, ' ') AS g FROM {kinds} k) t;
SELECT i, STRPOS(g, 'X'), STRPOS(g, 'b'), POSITION('12' IN g) AS p, REVERSE(g), RIGHT(g, 3) AS r FROM (SELECT i, GREATEST(s, ' ') AS g FROM {kinds} k) t;
-- Columns without any value.
SELECT a.id, a.age + n.v AS x, n.d + INTERVAL '1 day' AS d, date_trunc('month', n.d) AS m, EXTRACT(year FROM n.at) AS y, n.f, UPPER(n.s) AS s FROM bank.accounts a JOIN retailer.blank n ON a.id = n.id;
SELECT a.id, n.customer, a.balance * n.amount AS p FROM bank.accounts a LEFT JOIN telecom.nothing n ON a.id = n.customer;
SELECT n.v, COUNT(*), SUM(a.age), SUM(n.m * a.age), MIN(n.d), MAX(n.s) FROM bank.accounts a LEFT JOIN retailer.blank n ON a.id = n.id GROUP BY n.v;
SELECT x, d FROM (SELECT id AS x, d FROM retailer.blank UNION ALL SELECT id, opened FROM bank.accounts) q ORDER BY d, x LIMIT 9
