-- The client addresses with the most errors in the last three days: responses with status 400 and above, and failed actions of users.
SELECT
  provider,
  client_address,
  count_if(severity_number >= 13) AS errors,
  count_if(severity_number >= 17) AS failures,
  count(*) AS records,
  max(time) AS last_seen
FROM logs -- or history, for months and years
WHERE provider IN ('dsa', 'security365')
  AND "date" >= date_format(current_timestamp - INTERVAL '3' DAY, '%Y-%m-%d')
  AND client_address IS NOT NULL
GROUP BY provider, client_address
HAVING count_if(severity_number >= 13) > 0
ORDER BY errors DESC, failures DESC, client_address, provider
LIMIT 10
