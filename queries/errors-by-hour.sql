-- The hours of the last three days with the most errors: of the application (elsa), and of the hosts in front of it (dsa).
SELECT
  date_trunc('hour', time) AS hour,
  count(*) AS records,
  count_if(severity_number >= 17) AS errors,
  count_if(provider = 'elsa' AND severity_number >= 17) AS of_application,
  count_if(provider = 'dsa' AND severity_number >= 17) AS of_hosts
FROM logs -- or history, for months and years
WHERE provider IN ('elsa', 'dsa')
  AND "date" >= date_format(current_timestamp - INTERVAL '3' DAY, '%Y-%m-%d')
GROUP BY date_trunc('hour', time)
ORDER BY errors DESC
LIMIT 4
