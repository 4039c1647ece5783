"""The items of Security365's log: the fields of the samples on the page "externalSearch", and of its manuals.

Document logs are not in the samples; theirs are the fields that the manuals name (target, file, device, drmDoc, branch,
source), nested as the samples' empty objects suggest. Texts are Korean, `detail` is JSON in a text, sometimes broken.
"""

from __future__ import annotations

import json
from collections.abc import Callable

TENANT = '"3CJ55MSE-xLO7Sxt4-qUBKzbcs-XP2cgGEq"'
EMPTY = '""'
#: All keys of the samples in their order, with the values of an item that says nothing.
BLANK: dict[str, str] = {
    **dict.fromkeys(("traceId", "time", "ip", "userId"), EMPTY),
    "logLevel": '"INFO"',
    "logType": '"USER"',
    "brandName": EMPTY,
    "serviceName": EMPTY,
    "tenantId": TENANT,
    **dict.fromkeys(("target", "event", "description", "detail"), EMPTY),
    "corp": f'{{"id":{TENANT}}}',
    **dict.fromkeys(("user", "file", "folder", "device", "process", "source", "branch"), "{}"),
    **dict.fromkeys(("drmDoc", "policy", "storage", "urlFile", "edgeServer", "workSystem"), "null"),
    "mail": "{}",
    "sensitive": "null",
    "taskId": EMPTY,
    "serviceId": EMPTY,
    "serviceHostname": EMPTY,
    "crc32": "0",
    "sort": "[]",
    "detail6000": "null",
    "category": "0",
}
PEOPLE = (
    ("master@socam.info", "최고관리자", "본사"),
    ("kim@socam.info", "김민수", "영업본부/서울지사/1팀"),
    ("lee@socam.info", "이서연", "연구소/보안개발실"),
    ("park@socam.info", "박 \\\\ 지훈", "경영지원/인사팀"),
    ("choi@socam.info", '최\\"대표\\"', "임원실"),
)
DOCUMENTS = (
    "2026년 사업계획서.docx",
    "인사평가_최종(2).xlsx",
    "설계도면 Rev.1.10.dwg",
    "계약서 (사본).pdf",
    "메모.txt",
)
ADMIN_EVENTS = (
    *("USER_LOG_MENU_READ", "USER_ADD", "USER_UPDATE", "USER_DELETE", "USER_DETAIL_READ", "ADMIN_ROLE_GRANTED"),
    *("USER_LIST_DOWNLOAD", "BULK_USER_ADD", "USER_AUTO_DEACTIVATE", "USER_PASSWORD_RESET"),
)
LOGIN_EVENTS = ("LOGIN", "LOGOUT", "ADMIN_LOGIN", "USER_LOGIN", "PROFILE_UPDATE")
DOCUMENT_EVENTS = ("DOC_CREATE", "DOC_CREATION_CANCEL", "DOC_OPEN", "DOC_PRINT", "DOC_DECRYPT")
DETAILS = (
    '{"docId":"%x","ratio":1.10,"pages":[1,2],"path":"C:\\\\문서\\\\a.docx"}',
    '{"docId":"%x","reason":"업무 목적',  # broken off
    "{'docId': '%x'}",  # no JSON
    "문서 %x 이(가) 열렸습니다",
    '{"docId":"%x","owner":{"id":"kim","tags":["기밀",null]},"size":1e3}',
)
TOKEN_DETAIL = (
    '{"reqAppName":"InfoLineage","reqAppId":"%x","userAgent":{"operatingSystemName":"Unknown","agentName":'
    '"RestClient_53220","agentVersion":"1.0.11","client":null},"grantType":"client_credentials","email":""}'
)
ODD: tuple[dict[str, str], ...] = (
    {"event": '"SOMETHING_NEW"', "logLevel": '"NOTICE"', "category": "1.10"},
    {"userId": "null", "user": "null", "serviceName": "null", "description": "null"},
    {"user": '{"id":"kim","profile":{"dept.name":"x","a":{"b":[1,{"c":null}]}}}', "user.id": '"dotted"'},
    {"detail": '{"already":{"parsed":true},"n":1.10}', "ip": '["10.0.0.1","10.0.0.2"]'},
    {"crc32": "18446744073709551616", "detail6000": "-0.0", "taskId": "1E-7"},
    {"device": '{"ip":"10.0.0.9","mac":[],"id":{}}', "extra": '"새 필드 😀 \\u0000"', "severity_text": '"mine"'},
    {"event": '["A"]', "logLevel": "30", "serviceHostname": "17", "traceId": "null"},
)
UNREADABLE_TIMES = ("null", '"yesterday"', "{}", "true")


def item(fields: dict[str, str]) -> str:
    """Return an item; values are given as their JSON texts."""
    return "{" + ",".join(f'"{key}":{value}' for key, value in (BLANK | fields).items()) + "}"


def _admin(r: int) -> dict[str, str]:
    mail, name, _ = PEOPLE[0]
    return {
        "ip": f'"10.10.31.{r & 255}"',
        "userId": f'"{mail}"',
        "logType": '"ADMIN"',
        "brandName": '"Security365 Portal"',
        "serviceName": '"SPSVR"',
        "event": f'"{ADMIN_EVENTS[(r >> 8) % len(ADMIN_EVENTS)]}"',
        "description": '"/user-log"',
        "user": f'{{"id":"{mail}","name":"{name}"}}',
        "serviceId": '"f94e02e6-0873-4cd4-82a7-0da466b9736e"',
        "serviceHostname": '"cloud-spsvr-service-b59c89859-ql2qr"',
    }


def _token(r: int) -> dict[str, str]:
    return {
        "userId": f'"{r:016x}"',
        "logType": '"APP"',
        "serviceName": '"IdGP"',
        "event": '"POST_COMMON_OAUTH_TOKEN"',
        "description": '"Acquire client token"',
        "detail": json.dumps(TOKEN_DETAIL % r),
        "serviceId": '"cloud-oauth-service"',
        "serviceHostname": '"cloud-oauth-service-549f7db694-wdhcw"',
    }


def _login(r: int) -> dict[str, str]:
    mail, name, depart = PEOPLE[r % len(PEOPLE)]
    failed = r >> 4 & 15 == 0
    return {
        "ip": f'"192.168.0.{r >> 8 & 255}"',
        "userId": f'"{mail}"',
        "logLevel": '"ERROR"' if failed else '"INFO"',
        "serviceName": '"IdGP"',
        "event": f'"{LOGIN_EVENTS[(r >> 16) % len(LOGIN_EVENTS)]}"',
        "description": '"비밀번호가 일치하지 않습니다"' if failed else '"로그인 성공"',
        "user": f'{{"id":"{mail}","name":"{name}","email":"{mail}","depart":"{depart}"}}',
        "device": f'{{"ip":"192.168.0.{r >> 8 & 255}","mac":"00-1A-{r >> 20 & 255:02X}","id":"{r & 0xFFFFFF:06X}"}}',
    }


def _document(r: int) -> dict[str, str]:
    name = DOCUMENTS[(r >> 3) % len(DOCUMENTS)]
    detail = DETAILS[(r >> 11) % len(DETAILS)]
    size, created = r >> 9 & 0xFFFFF, 1_790_000_000_000 + (r >> 7 & 0xFFFFFFF)
    return _login(r) | {
        "serviceName": '"ShieldRM"',
        "target": json.dumps(name, ensure_ascii=False),
        "event": f'"{DOCUMENT_EVENTS[(r >> 5) % len(DOCUMENT_EVENTS)]}"',
        "description": '"문서가 생성되었습니다"',
        "detail": json.dumps(detail % r, ensure_ascii=False),
        "file": f'{{"name":"{name}","size":"{size}","time":{{"created":{created}}},"ratio":{r & 7}.10}}',
        "folder": '{"path":"C:\\\\Users\\\\kim\\\\문서"}',
        "process": f'{{"name":"WINWORD.EXE","pid":{r & 0xFFFF},"version":16.0}}',
        "source": '{"from":"https://mail.example.com/","ref":{}}' if r & 1 else "{}",
        "branch": f'{{"parent":"{r >> 4:x}","self":"{r:x}"}}',
        "drmDoc": f'{{"type":{{"id":"{r & 3}","name":"대외비"}},"grade":null}}',
        "sensitive": f'{{"count":{r & 15},"types":["주민등록번호","카드번호"],"score":0.{r & 7}0}}',
        "serviceHostname": f'"PC-{r & 0xFFFF:04X}"',
    }


KINDS: tuple[Callable[[int], dict[str, str]], ...] = (_admin, _admin, _token, _login, _login, _document, _document)
