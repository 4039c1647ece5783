-- The windows of each source in each month of the last year: how many, how many of them sealed, verified and closed, and what they hold.
SELECT
  date_trunc('month', window_start) AS month,
  provider,
  source,
  count(*) AS windows,
  count_if(state = 'sealed') AS sealed,
  count_if(verification = 'verified') AS verified,
  count_if(state = 'closed') AS closed,
  sum(row_count) AS records,
  sum(rejects) AS rejects,
  sum(late) AS late
FROM windows
WHERE "date" >= date_format(current_timestamp - INTERVAL '365' DAY, '%Y-%m-%d')
GROUP BY date_trunc('month', window_start), provider, source
ORDER BY month DESC, provider, source
LIMIT 100
