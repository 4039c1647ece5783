-- ELSA's records under the vendor's names; the application's own fields are in `attributes`.
CREATE OR REPLACE VIEW elsa AS
SELECT
  time AS logTime,
  coalesce(severity_text, element_at(attributes, 'logLevel')) AS logLevel,
  service_name AS projectName,
  service_version AS projectVersion,
  host_name AS host,
  body,
  element_at(attributes, 'logType') AS logType,
  element_at(attributes, 'logSource') AS logSource,
  element_at(attributes, 'sendTime') AS sendTime,
  attributes,
  source,
  "date"
FROM logs -- or history, for months and years
WHERE provider = 'elsa'
