-- The activity of each Security365 user in the last seven days: records, logins, work on documents, failures, number of addresses.
SELECT
  user_id,
  count(*) AS records,
  count_if(event_name IN ('LOGIN', 'USER_LOGIN', 'ADMIN_LOGIN')) AS logins,
  count_if(event_name LIKE 'DOC%') AS documents,
  count_if(severity_number >= 17) AS failures,
  count(DISTINCT client_address) AS addresses,
  max(time) AS last_seen
FROM logs -- or history, for months and years
WHERE provider = 'security365'
  AND "date" >= date_format(current_timestamp - INTERVAL '7' DAY, '%Y-%m-%d')
  AND user_id IS NOT NULL
GROUP BY user_id
ORDER BY records DESC, user_id
LIMIT 10
