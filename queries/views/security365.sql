-- Security365's records under the vendor's names, with underscores for dots; all other fields are in `attributes`.
CREATE OR REPLACE VIEW security365 AS
SELECT
  time,
  trace_id AS traceId,
  severity_text AS logLevel,
  element_at(attributes, 'logType') AS logType,
  event_name AS event,
  body AS description,
  user_id AS userId,
  user_name,
  client_address AS ip,
  element_at(attributes, 'target') AS target,
  element_at(attributes, 'brandName') AS brandName,
  service_name AS serviceName,
  host_name AS serviceHostname,
  element_at(attributes, 'tenantId') AS tenantId,
  attributes,
  source,
  "date"
FROM logs -- or history, for months and years
WHERE provider = 'security365'
