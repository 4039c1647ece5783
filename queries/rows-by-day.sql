-- The rows of each provider on each of the last seven days: how many, of how many sources, first and last time.
SELECT
  "date" AS day,
  provider,
  count(*) AS records,
  count(DISTINCT source) AS sources,
  count_if(severity_number >= 17) AS errors,
  min(time) AS first_record,
  max(time) AS last_record
FROM logs -- or history, for months and years
WHERE provider IN ('elsa', 'apigateway', 'multidrm', 'security365', 'dsa')
  AND "date" >= date_format(current_timestamp - INTERVAL '7' DAY, '%Y-%m-%d')
GROUP BY "date", provider
ORDER BY day DESC, provider
