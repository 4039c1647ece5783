-- The changes of Multi DRM policies in the last seven days: which policy of which site, how and when.
-- The vendor's log does not name the person; `site` is the source's name.
SELECT
  time,
  source AS site,
  element_at(attributes, 'policyId') AS policy,
  event_name AS change,
  body AS description
FROM logs -- or history, for months and years
WHERE provider = 'multidrm'
  AND "date" >= date_format(current_timestamp - INTERVAL '7' DAY, '%Y-%m-%d')
ORDER BY time DESC, record_id
LIMIT 10
