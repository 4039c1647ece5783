"""A line of Tencent's access logs: its fields, the column that each feeds, and names for its ids.

github.com/tencentyun/qcloud-documents, "日志管理" of 动态加速: 15 fields; the old CDN had the first 12, the new has 16.
No sample line is published; tools that read them expect fields with spaces to be quoted.
"""

from collections.abc import Mapping

from logarchive.column.convert import (
    FieldMapping,
    after,
    before,
    integer,
    lookup,
    number,
    status_severity,
    text,
    zoned_time,
)
from logarchive.record.layout import ANY, LineLayout

_ABSENT = r"||-|NULL|\(null\)"
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?" + _ABSENT
#: The client's own text, like its user agent.
_RANGE = {"range": ANY}
_ENDS = {
    "method": "[A-Za-z][A-Za-z_-]*" + _ABSENT,
    "protocol": r"[A-Za-z]+(?:/[0-9.]+)?" + _ABSENT,
    "cache": "[A-Za-z0-9][A-Za-z0-9_-]*" + _ABSENT,
}
LAYOUT = LineLayout(
    head={
        "time": ANY,
        "client_ip": "[0-9A-Fa-f.:]+" + _ABSENT,
        "domain": ANY,
        "url": ANY,
        "bytes": _NUMBER,
        "province_id": _NUMBER,
        "isp_id": _NUMBER,
        "status": "[0-9]{1,3}" + _ABSENT,
        "referer": ANY,
        "duration_ms": _NUMBER,
    },
    # A client sends what it likes, quotes too.
    text="user_agent",
    tails=(_RANGE, _RANGE | _ENDS, _RANGE | _ENDS | {"client_port": "[0-9]{1,5}" + _ABSENT}),
    unquoted={"range": r"[A-Za-z]+=[0-9, -]+" + _ABSENT},
)

PROVINCES = {
    "22": "Beijing",
    "86": "Inner Mongolia",
    "146": "Shanxi",
    "1069": "Hebei",
    "1177": "Tianjin",
    "119": "Ningxia",
    "152": "Shaanxi",
    "1208": "Gansu",
    "1467": "Qinghai",
    "1468": "Xinjiang",
    "145": "Heilongjiang",
    "1445": "Jilin",
    "1464": "Liaoning",
    "2": "Fujian",
    "120": "Jiangsu",
    "121": "Anhui",
    "122": "Shandong",
    "1050": "Shanghai",
    "1442": "Zhejiang",
    "182": "Henan",
    "1135": "Hubei",
    "1465": "Jiangxi",
    "1466": "Hunan",
    "118": "Guizhou",
    "153": "Yunnan",
    "1051": "Chongqing",
    "1068": "Sichuan",
    "1155": "Tibet",
    "4": "Guangdong",
    "173": "Guangxi",
    "1441": "Hainan",
    "0": "other",
    "1": "Hong Kong, Macao and Taiwan",
    "-1": "overseas",
}

CARRIERS = {
    "2": "China Telecom",
    "26": "China Unicom",
    "38": "CERNET",
    "43": "Great Wall Broadband",
    "1046": "China Mobile",
    "3947": "China Tietong",
    "-1": "overseas",
    "0": "other",
}


def columns(time_zone: str) -> Mapping[str, FieldMapping]:
    """Map the fields; times are in the given zone. `range` and the ids behind names stay in `attributes`."""
    return {
        "time": FieldMapping("time", zoned_time(time_zone)),
        "severity_number": FieldMapping("status", status_severity, take=False),
        "client_address": FieldMapping("client_ip", text),
        "client_port": FieldMapping("client_port", integer),
        "http_request_method": FieldMapping("method", text),
        "url_domain": FieldMapping("domain", text),
        "url_path": FieldMapping("url", before),
        "url_query": FieldMapping("url", after, take=False),
        "http_response_status_code": FieldMapping("status", integer),
        "http_response_size": FieldMapping("bytes", integer),
        "http_duration_ms": FieldMapping("duration_ms", number),
        "http_request_referrer": FieldMapping("referer", text),
        "user_agent_original": FieldMapping("user_agent", text),
        "network_protocol_version": FieldMapping("protocol", text),
        "cache_status": FieldMapping("cache", text),
        "geo_region": FieldMapping("province_id", lookup(PROVINCES), take=False),
        "network_carrier_name": FieldMapping("isp_id", lookup(CARRIERS), take=False),
    }
