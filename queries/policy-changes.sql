-- Who changed which policy of Multi DRM over the last seven days, as far as the vendor logs it: which policy of which site was
-- changed, how, and when. No person is named in that log; `site` is the source's name.
SELECT
  time,
  source AS site,
  element_at(attributes, 'policyId') AS policy,
  event_name AS change,
  body AS description
FROM logs
WHERE provider = 'multidrm'
  AND "date" >= date_format(current_timestamp - INTERVAL '7' DAY, '%Y-%m-%d')
ORDER BY time DESC, record_id
LIMIT 10
