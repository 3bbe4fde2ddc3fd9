-- Parts.
SELECT EXTRACT(YEAR FROM t), EXTRACT(MONTH FROM t) AS m, EXTRACT(DAY FROM t) AS d FROM {both} u;
SELECT EXTRACT(DOW FROM t), EXTRACT(DOY FROM t) AS doy, EXTRACT(QUARTER FROM t) AS q, EXTRACT(WEEK FROM t) AS w FROM {both} u;
SELECT DATE_PART('year', t), DATE_PART('isodow', t), DATE_PART('isoyear', t) FROM {both} u;
SELECT EXTRACT(EPOCH FROM t) FROM {both} u;
SELECT EXTRACT(YEAR FROM t) AS y, COUNT(*) FROM {both} u GROUP BY EXTRACT(YEAR FROM t);
SELECT t FROM {both} u WHERE EXTRACT(MONTH FROM t) IN (1, 6, 12);
-- Intervals.
SELECT t + INTERVAL '3' DAY, t - INTERVAL '1' DAY FROM {both} u;
SELECT t + INTERVAL '1' MONTH, t - INTERVAL '1' MONTH FROM {both} u;
SELECT t + INTERVAL '1' YEAR, t - INTERVAL '13' MONTH FROM {both} u;
SELECT t FROM {both} u WHERE t + INTERVAL '6' MONTH < DATE '2021-01-01';
SELECT t - DATE '2020-01-01', DATE '2022-01-01' - t AS r FROM {both} u;
SELECT a.id, c.day - a.opened FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer;
SELECT a.id FROM bank.accounts a JOIN telecom.calls c ON a.id = c.customer WHERE c.day > a.opened + INTERVAL '90' DAY;
-- Units.
SELECT DATE_TRUNC('month', t), DATE_TRUNC('year', t) AS y, DATE_TRUNC('week', t) AS w FROM {both} u;
SELECT DATE_TRUNC('quarter', t) AS q, COUNT(*), SUM(d) FROM {both} u GROUP BY DATE_TRUNC('quarter', t);
SELECT DATE_TRUNC('day', t) FROM {both} u;
-- Timestamps.
SELECT CAST(t AS TIMESTAMP) FROM {both} u;
SELECT CAST(CAST(t AS TIMESTAMP) AS DATE) FROM {both} u;
SELECT s + INTERVAL '90' MINUTE, DATE_TRUNC('hour', s + INTERVAL '90' MINUTE) AS h FROM (SELECT CAST(t AS TIMESTAMP) AS s FROM {both} u) v;
SELECT EXTRACT(HOUR FROM s) AS h, EXTRACT(MINUTE FROM s) AS m, EXTRACT(SECOND FROM s) AS c FROM (SELECT CAST(t AS TIMESTAMP) + INTERVAL '5415' SECOND AS s FROM {both} u) v;
SELECT MIN(t), MAX(t), MAX(t) - MIN(t) FROM {both} u;

SELECT i, t + INTERVAL '1' MONTH + INTERVAL '1' MONTH, DATE_TRUNC('week', t + INTERVAL '3' MONTH) FROM {both} u;
