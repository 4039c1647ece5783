-- The slowest requests of the last three days.
SELECT
  time,
  url_domain AS host,
  url_path AS path,
  http_response_status_code AS status,
  http_duration_ms AS duration_ms
FROM logs -- or history, for months and years
WHERE provider = 'dsa'
  AND "date" >= date_format(current_timestamp - INTERVAL '3' DAY, '%Y-%m-%d')
  AND http_duration_ms IS NOT NULL
ORDER BY duration_ms DESC, time, record_id
LIMIT 10
