-- API Gateway's events under the vendor's names; `time` is in UTC, whatever the source's `time_zone` is.
CREATE OR REPLACE VIEW apigateway AS
SELECT
  time,
  severity_text AS level,
  event_name AS type,
  body AS message,
  attributes,
  source,
  "date"
FROM logs -- or history, for months and years
WHERE provider = 'apigateway'
