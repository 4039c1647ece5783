-- The exceptions that an application logged in the last three days, on how many hosts, and when last.
-- ExceptionType is a field of the application: fields without a column are in `attributes`, under their own names.
SELECT
  element_at(attributes, 'ExceptionType') AS exception,
  count(*) AS times,
  count_if(severity_number >= 17) AS as_error,
  count(DISTINCT host_name) AS hosts,
  max(time) AS last_seen
FROM logs -- or history, for months and years
WHERE provider = 'elsa'
  AND "date" >= date_format(current_timestamp - INTERVAL '3' DAY, '%Y-%m-%d')
  AND element_at(attributes, 'ExceptionType') IS NOT NULL
GROUP BY element_at(attributes, 'ExceptionType')
ORDER BY times DESC
LIMIT 4
