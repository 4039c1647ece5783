-- Tencent's access logs, the fields of a line in the vendor's order; `province` and `isp` are the names of the ids before them.
CREATE OR REPLACE VIEW dsa AS
SELECT
  time,
  client_address AS client_ip,
  url_domain AS domain,
  coalesce(url_path || '?' || url_query, url_path) AS url,
  http_response_size AS bytes,
  element_at(attributes, 'province_id') AS province_id,
  geo_region AS province,
  element_at(attributes, 'isp_id') AS isp_id,
  network_carrier_name AS isp,
  http_response_status_code AS status,
  http_request_referrer AS referer,
  http_duration_ms AS duration_ms,
  user_agent_original AS user_agent,
  element_at(attributes, 'range') AS "range",
  http_request_method AS method,
  network_protocol_version AS protocol,
  cache_status AS cache,
  client_port,
  attributes,
  source,
  "date"
FROM logs -- or history, for months and years
WHERE provider = 'dsa'
