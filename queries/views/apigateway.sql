-- API Gateway's events under the vendor's names; `time` is in UTC, whatever zone it was asked for in.
CREATE OR REPLACE VIEW apigateway AS
SELECT
  time,
  severity_text AS level,
  event_name AS type,
  body AS message,
  attributes,
  source,
  "date"
FROM logs
WHERE provider = 'apigateway'
