-- Multi DRM's policy log under the vendor's names.
CREATE OR REPLACE VIEW multidrm AS
SELECT
  time AS "timestamp",
  element_at(attributes, 'policyId') AS policyId,
  body AS description,
  attributes,
  source,
  "date"
FROM logs -- or history, for months and years
WHERE provider = 'multidrm'
