-- The days from FIRST_DAY to LAST_DAY on which `history` and `logs` differ, by provider and source: how many rows
-- are missing in `history`, gone from `logs`, and other than in `logs`. No row: they are equal. fill.sql makes them so.
SELECT
  provider,
  source,
  "date",
  count_if(missing) AS missing,
  count_if(gone) AS gone,
  count_if(changed AND NOT missing AND NOT gone) AS changed
FROM (
  SELECT
    coalesce(l.provider, h.provider) AS provider,
    coalesce(l.source, h.source) AS source,
    coalesce(l."date", h."date") AS "date",
    h.raw_part IS NULL AS missing,
    l.raw_part IS NULL AS gone,
    (
      l.time IS DISTINCT FROM h.time OR
      l.record_id IS DISTINCT FROM h.record_id OR
      l.severity_number IS DISTINCT FROM h.severity_number OR
      l.severity_text IS DISTINCT FROM h.severity_text OR
      l.event_name IS DISTINCT FROM h.event_name OR
      l.body IS DISTINCT FROM h.body OR
      l.service_name IS DISTINCT FROM h.service_name OR
      l.service_version IS DISTINCT FROM h.service_version OR
      l.host_name IS DISTINCT FROM h.host_name OR
      l.user_id IS DISTINCT FROM h.user_id OR
      l.user_name IS DISTINCT FROM h.user_name OR
      l.client_address IS DISTINCT FROM h.client_address OR
      l.client_port IS DISTINCT FROM h.client_port OR
      l.http_request_method IS DISTINCT FROM h.http_request_method OR
      l.url_domain IS DISTINCT FROM h.url_domain OR
      l.url_path IS DISTINCT FROM h.url_path OR
      l.url_query IS DISTINCT FROM h.url_query OR
      l.http_response_status_code IS DISTINCT FROM h.http_response_status_code OR
      l.http_response_size IS DISTINCT FROM h.http_response_size OR
      l.http_duration_ms IS DISTINCT FROM h.http_duration_ms OR
      l.http_request_referrer IS DISTINCT FROM h.http_request_referrer OR
      l.user_agent_original IS DISTINCT FROM h.user_agent_original OR
      l.network_protocol_version IS DISTINCT FROM h.network_protocol_version OR
      l.cache_status IS DISTINCT FROM h.cache_status OR
      l.geo_region IS DISTINCT FROM h.geo_region OR
      l.network_carrier_name IS DISTINCT FROM h.network_carrier_name OR
      l.trace_id IS DISTINCT FROM h.trace_id OR
      l.attributes IS DISTINCT FROM h.attributes
    ) AS changed
  FROM (SELECT * FROM logs WHERE "date" BETWEEN CAST(DATE 'FIRST_DAY' AS varchar) AND CAST(DATE 'LAST_DAY' AS varchar)) AS l
  FULL JOIN (SELECT * FROM history WHERE "date" BETWEEN CAST(DATE 'FIRST_DAY' AS varchar) AND CAST(DATE 'LAST_DAY' AS varchar)) AS h
    ON l.provider = h.provider
    AND l.source = h.source
    AND l."date" = h."date"
    AND l.raw_part = h.raw_part
    AND l.raw_index = h.raw_index
)
WHERE missing OR gone OR changed
GROUP BY provider, source, "date"
ORDER BY "date", provider, source
