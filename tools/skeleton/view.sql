-- FILL IN: the records under the vendor's names.
CREATE OR REPLACE VIEW skeleton AS
SELECT
  time,
  attributes,
  source,
  "date"
FROM logs
WHERE provider = 'skeleton'
