-- The paths with the most responses of status 500 and above in the last three days, and how many clients received them.
SELECT
  url_domain AS host,
  url_path AS path,
  count(*) AS failures,
  count_if(http_response_status_code = 504) AS timed_out,
  count(DISTINCT client_address) AS clients,
  max(time) AS last_seen
FROM logs -- or history, for months and years
WHERE provider = 'dsa'
  AND "date" >= date_format(current_timestamp - INTERVAL '3' DAY, '%Y-%m-%d')
  AND http_response_status_code >= 500
GROUP BY url_domain, url_path
ORDER BY failures DESC, host, path
LIMIT 10
