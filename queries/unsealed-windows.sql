-- The windows of the last 40 days that are not sealed: first those with an issue, in the order in which the provider deletes their records.
SELECT
  provider,
  source,
  window_start,
  window_end,
  state,
  issue,
  lost_at,
  error
FROM windows
WHERE "date" >= date_format(current_timestamp - INTERVAL '40' DAY, '%Y-%m-%d')
  AND state <> 'sealed'
ORDER BY CASE WHEN issue IS NULL THEN 1 ELSE 0 END, lost_at, window_start, provider, source
LIMIT 10
