-- The first and the last day of which `history` has rows, and how many, by provider and source.
SELECT
  provider,
  source,
  min("date") AS first_day,
  max("date") AS last_day,
  count(*) AS records
FROM history
GROUP BY provider, source
ORDER BY provider, source
