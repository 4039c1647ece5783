"""What row a line of Tencent's access logs must become, from its exact bytes and the vendor's field list alone."""

import datetime as dt
import functools
import re
from functools import lru_cache
from typing import Any

from tests.truth.row import Row, row

FIELDS = (
    *("time", "client_ip", "domain", "url", "bytes", "province_id", "isp_id", "status", "referer", "duration_ms"),
    *("user_agent", "range", "method", "protocol", "cache", "client_port"),
)
LENGTHS = {12, 15, 16}
ABSENT = {"NULL", "(null)", "-"}
TEXTS = {
    "client_ip": "client_address",
    "domain": "url_domain",
    "referer": "http_request_referrer",
    "user_agent": "user_agent_original",
    "method": "http_request_method",
    "protocol": "network_protocol_version",
    "cache": "cache_status",
}
INTEGERS = {"bytes": "http_response_size", "status": "http_response_status_code", "client_port": "client_port"}
_IDS = re.compile(r"(-?[0-9]+) ([^;]+)")
#: Names as the vendor's table gives them; both ids stay in the attributes.
PROVINCES = dict(
    _IDS.findall(
        "22 Beijing; 86 Inner Mongolia; 146 Shanxi; 1069 Hebei; 1177 Tianjin; 119 Ningxia; 152 Shaanxi; 1208 Gansu; "
        "1467 Qinghai; 1468 Xinjiang; 145 Heilongjiang; 1445 Jilin; 1464 Liaoning; 2 Fujian; 120 Jiangsu; 121 Anhui; "
        "122 Shandong; 1050 Shanghai; 1442 Zhejiang; 182 Henan; 1135 Hubei; 1465 Jiangxi; 1466 Hunan; 118 Guizhou; "
        "153 Yunnan; 1051 Chongqing; 1068 Sichuan; 1155 Tibet; 4 Guangdong; 173 Guangxi; 1441 Hainan; 0 other; "
        "1 Hong Kong, Macao and Taiwan; -1 overseas"
    )
)
CARRIERS = dict(
    _IDS.findall(
        "2 China Telecom; 26 China Unicom; 38 CERNET; 43 Great Wall Broadband; 1046 China Mobile; "
        "3947 China Tietong; -1 overseas; 0 other"
    )
)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MILLISECOND = dt.timedelta(milliseconds=1)
INTEGER = re.compile(r"-?[1-9][0-9]{0,17}|0")


@lru_cache(maxsize=1 << 16)
def dsa_row(line: bytes, zone: dt.timedelta = dt.timedelta(hours=8)) -> Row | None:
    """Return the row of a line; None if it must be rejected: another number of fields, or no readable time."""
    values = split(line)
    if values is None or len(values) not in LENGTHS:
        return None
    held = {name: value for name, value in zip(FIELDS, values, strict=False) if value not in ABSENT}
    columns: dict[str, Any] = {}
    rest = {name: value for name, value in held.items() if not _fits(name, value, columns, zone)}
    return row(columns, rest) if "time" in columns else None


def split(line: bytes) -> list[str] | None:
    """Return a line's fields, quotes removed; None if a quote never ends or the bytes are no text."""
    try:
        pieces = line.decode().split('"')
    except UnicodeDecodeError:
        return None
    if len(pieces) % 2 == 0:
        return None
    fields: list[str] = []
    for number, piece in enumerate(pieces):
        fields += [piece] if number % 2 else filter(None, piece.split(" "))
    return fields


def _fits(name: str, value: str, columns: dict[str, Any], zone: dt.timedelta) -> bool:
    """Put a value into the columns that its field feeds; say whether nothing of it is left for the attributes."""
    if name in TEXTS:
        columns[TEXTS[name]] = value
    elif name == "time":
        return _time(value, columns, zone)
    elif name == "url":
        path, mark, query = value.partition("?")
        columns |= {"url_path": path} | ({"url_query": query} if mark else {})
    elif name == "duration_ms":
        return _duration(value, columns)
    elif name in INTEGERS:
        return _integer(name, value, columns)
    else:
        _named(name, value, columns)
        return False
    return True


def _time(value: str, columns: dict[str, Any], zone: dt.timedelta) -> bool:
    """Read a time of the vendor's zone; an epoch is another way to say it, whose text is kept."""
    local = _local_ms(value)
    if local is not None:
        columns["time"] = local - zone // MILLISECOND
    elif re.fullmatch("[0-9]{10}", value):
        columns["time"] = int(value) * 1000
    return local is not None


@functools.cache
def _local_ms(value: str) -> int | None:
    """Return a time told without a zone, as if it were UTC."""
    forms = {14: "%Y%m%d%H%M%S", 19: "%Y-%m-%d %H:%M:%S"}
    try:
        local = dt.datetime.strptime(f"{value} +0000", f"{forms.get(len(value), '')} %z")
    except ValueError:
        return None
    return (local - EPOCH) // MILLISECOND


def _duration(value: str, columns: dict[str, Any]) -> bool:
    if INTEGER.fullmatch(value) or re.fullmatch(r"[0-9]{1,9}\.[0-9]{1,6}", value):
        columns["http_duration_ms"] = float(value)
        return True
    return False


def _integer(name: str, value: str, columns: dict[str, Any]) -> bool:
    if name == "status":
        status = int(value) if INTEGER.fullmatch(value) else 0
        columns["severity_number"] = 17 if status >= 500 else 13 if status >= 400 else 9
    if not INTEGER.fullmatch(value):
        return False
    columns[INTEGERS[name]] = int(value)
    return True


def _named(name: str, value: str, columns: dict[str, Any]) -> None:
    """Name the province or the carrier of an id, where the vendor's table has it."""
    tables = {"province_id": ("geo_region", PROVINCES), "isp_id": ("network_carrier_name", CARRIERS)}
    column, table = tables.get(name, ("", {}))
    if value in table:
        columns[column] = table[value]
