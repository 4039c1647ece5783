-- Makes the table `history`: the rows of `logs` in large files, with a partition for each provider and month. Replace
-- BUCKET by the archive's bucket. Where there is a table of that name, nothing is done.
CREATE TABLE IF NOT EXISTS history (
  `time` timestamp,
  `source` string,
  `record_id` string,
  `severity_number` int,
  `severity_text` string,
  `event_name` string,
  `body` string,
  `service_name` string,
  `service_version` string,
  `host_name` string,
  `user_id` string,
  `user_name` string,
  `client_address` string,
  `client_port` int,
  `http_request_method` string,
  `url_domain` string,
  `url_path` string,
  `url_query` string,
  `http_response_status_code` int,
  `http_response_size` bigint,
  `http_duration_ms` double,
  `http_request_referrer` string,
  `user_agent_original` string,
  `network_protocol_version` string,
  `cache_status` string,
  `geo_region` string,
  `network_carrier_name` string,
  `trace_id` string,
  `attributes` map<string,string>,
  `raw_part` string,
  `raw_index` bigint,
  `provider` string,
  `date` string
)
PARTITIONED BY (`provider`, truncate(7, `date`))
LOCATION 's3://BUCKET/history'
TBLPROPERTIES ('table_type' = 'ICEBERG', 'format' = 'parquet', 'write_compression' = 'zstd')
