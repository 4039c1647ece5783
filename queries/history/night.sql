-- Makes `history` equal to `logs` on the days that are at least four days old, and of which an object was written in
-- the last seven days, as `windows` says: so each day comes in three nights or more, and what has changed in older days
-- comes in the next one. What an earlier version of the archive has written counts as written at its window's end.
MERGE INTO history AS t
USING (
  SELECT
    coalesce(l.provider, h.provider) AS provider,
    coalesce(l.source, h.source) AS source,
    coalesce(l."date", h."date") AS "date",
    coalesce(l.raw_part, h.raw_part) AS raw_part,
    coalesce(l.raw_index, h.raw_index) AS raw_index,
    l.raw_part IS NULL AS gone,
    l.time,
    l.record_id,
    l.severity_number,
    l.severity_text,
    l.event_name,
    l.body,
    l.service_name,
    l.service_version,
    l.host_name,
    l.user_id,
    l.user_name,
    l.client_address,
    l.client_port,
    l.http_request_method,
    l.url_domain,
    l.url_path,
    l.url_query,
    l.http_response_status_code,
    l.http_response_size,
    l.http_duration_ms,
    l.http_request_referrer,
    l.user_agent_original,
    l.network_protocol_version,
    l.cache_status,
    l.geo_region,
    l.network_carrier_name,
    l.trace_id,
    l.attributes
  FROM (SELECT * FROM logs WHERE "date" IN (
    SELECT "date" FROM windows
    WHERE "date" <= date_format(current_timestamp - INTERVAL '4' DAY, '%Y-%m-%d')
      AND date_format(coalesce(written_at, window_end), '%Y-%m-%d')
        >= date_format(current_timestamp - INTERVAL '4' DAY - INTERVAL '3' DAY, '%Y-%m-%d')
  )) AS l
  FULL JOIN (SELECT * FROM history WHERE "date" IN (
    SELECT "date" FROM windows
    WHERE "date" <= date_format(current_timestamp - INTERVAL '4' DAY, '%Y-%m-%d')
      AND date_format(coalesce(written_at, window_end), '%Y-%m-%d')
        >= date_format(current_timestamp - INTERVAL '4' DAY - INTERVAL '3' DAY, '%Y-%m-%d')
  )) AS h
    ON l.provider = h.provider
    AND l.source = h.source
    AND l."date" = h."date"
    AND l.raw_part = h.raw_part
    AND l.raw_index = h.raw_index
  WHERE l.raw_part IS NULL OR h.raw_part IS NULL OR
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
) AS c
ON t."date" IN (
    SELECT "date" FROM windows
    WHERE "date" <= date_format(current_timestamp - INTERVAL '4' DAY, '%Y-%m-%d')
      AND date_format(coalesce(written_at, window_end), '%Y-%m-%d')
        >= date_format(current_timestamp - INTERVAL '4' DAY - INTERVAL '3' DAY, '%Y-%m-%d')
  )
  AND t.provider = c.provider
  AND t.source = c.source
  AND t."date" = c."date"
  AND t.raw_part = c.raw_part
  AND t.raw_index = c.raw_index
WHEN MATCHED AND c.gone THEN DELETE
WHEN MATCHED THEN UPDATE SET
  time = CAST(c.time AS timestamp(6)),
  record_id = c.record_id,
  severity_number = c.severity_number,
  severity_text = c.severity_text,
  event_name = c.event_name,
  body = c.body,
  service_name = c.service_name,
  service_version = c.service_version,
  host_name = c.host_name,
  user_id = c.user_id,
  user_name = c.user_name,
  client_address = c.client_address,
  client_port = c.client_port,
  http_request_method = c.http_request_method,
  url_domain = c.url_domain,
  url_path = c.url_path,
  url_query = c.url_query,
  http_response_status_code = c.http_response_status_code,
  http_response_size = c.http_response_size,
  http_duration_ms = c.http_duration_ms,
  http_request_referrer = c.http_request_referrer,
  user_agent_original = c.user_agent_original,
  network_protocol_version = c.network_protocol_version,
  cache_status = c.cache_status,
  geo_region = c.geo_region,
  network_carrier_name = c.network_carrier_name,
  trace_id = c.trace_id,
  attributes = c.attributes
WHEN NOT MATCHED THEN INSERT (
  time,
  source,
  record_id,
  severity_number,
  severity_text,
  event_name,
  body,
  service_name,
  service_version,
  host_name,
  user_id,
  user_name,
  client_address,
  client_port,
  http_request_method,
  url_domain,
  url_path,
  url_query,
  http_response_status_code,
  http_response_size,
  http_duration_ms,
  http_request_referrer,
  user_agent_original,
  network_protocol_version,
  cache_status,
  geo_region,
  network_carrier_name,
  trace_id,
  attributes,
  raw_part,
  raw_index,
  provider,
  "date"
) VALUES (
  CAST(c.time AS timestamp(6)),
  c.source,
  c.record_id,
  c.severity_number,
  c.severity_text,
  c.event_name,
  c.body,
  c.service_name,
  c.service_version,
  c.host_name,
  c.user_id,
  c.user_name,
  c.client_address,
  c.client_port,
  c.http_request_method,
  c.url_domain,
  c.url_path,
  c.url_query,
  c.http_response_status_code,
  c.http_response_size,
  c.http_duration_ms,
  c.http_request_referrer,
  c.user_agent_original,
  c.network_protocol_version,
  c.cache_status,
  c.geo_region,
  c.network_carrier_name,
  c.trace_id,
  c.attributes,
  c.raw_part,
  c.raw_index,
  c.provider,
  c."date"
)
