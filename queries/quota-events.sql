-- The limits of API Gateway that were exceeded in the last seven days, and how often: EU400 quota, EU410 requests a second, EU420 rate.
SELECT
  event_name AS type,
  count(*) AS times,
  min(time) AS first_seen,
  max(time) AS last_seen,
  body AS message
FROM logs -- or history, for months and years
WHERE provider = 'apigateway'
  AND "date" >= date_format(current_timestamp - INTERVAL '7' DAY, '%Y-%m-%d')
  AND event_name LIKE 'EU4%'
GROUP BY event_name, body
ORDER BY times DESC, type, message
LIMIT 10
