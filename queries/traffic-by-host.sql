-- The traffic of each host in the last three days: requests, share from the cache, share of failures.
SELECT
  url_domain AS host,
  count(*) AS requests,
  round(1e2 * count_if(lower(cache_status) = 'hit') / count(*), 1) AS hit_percent,
  round(1e2 * count_if(http_response_status_code >= 500) / count(*), 1) AS failed_percent,
  round(avg(http_duration_ms), 1) AS mean_ms,
  round(sum(http_response_size) / 1e9, 1) AS gigabytes
FROM logs -- or history, for months and years
WHERE provider = 'dsa'
  AND "date" >= date_format(current_timestamp - INTERVAL '3' DAY, '%Y-%m-%d')
GROUP BY url_domain
ORDER BY requests DESC
LIMIT 6
