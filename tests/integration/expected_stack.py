"""What the template says of each property that matters, for `test_deployed.py` to read back."""

from collections.abc import Mapping
from typing import Any

from tools.registry import names
from tools.stack import STACK

#: As little as possible is left at its default, so that a default is not taken for what was read.
PARAMETERS = {
    "ScheduleExpression": "rate(15 minutes)",
    "ArchiveFrom": "2026-03-01",
    "RawRetentionDays": "30",
    "RawRetentionMode": "COMPLIANCE",
    "RawGlacierDays": "90",
    "RawExpirationDays": "365",
    "PerSourceMetrics": "true",
    "LogLevel": "DEBUG",
    "LogRetentionDays": "90",
    "QueryBytesLimit": "5000000000",
}
#: What the template says and ministack does not do.
DROPPED: Mapping[str, Any] = {
    "bucket lock": None,
    "bucket lifecycle": None,
    "table point in time recovery": "DISABLED",
    "table encryption": None,
}
TLS = {"Bool": {"aws:SecureTransport": "false"}}
ONCE = {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}}
PROVIDERS = names()
READ: Mapping[str, Any] = {
    "bucket versions": "Enabled",
    "bucket public": {
        "BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True
    },
    "bucket owner": "BucketOwnerEnforced",
    "bucket encryption": "AES256",
    "bucket policy": {"RawIsWrittenOnce": ONCE, "TlsOnly": TLS},
    "results": ({"TlsOnly": TLS}, "AES256", True),
    "names": True,
    "table protected": True,
    "table index": "due",
    "table billing": "PAY_PER_REQUEST",
    "queue": {"MessageRetentionPeriod": "1209600", "SqsManagedSseEnabled": "true", "Policy": ["TlsOnly"]},
    "logs": {f"/aws/lambda/{STACK}-{name}": 90 for name in PROVIDERS},
    "functions": dict.fromkeys(PROVIDERS, (900, 1769, 4096, 1, "PassThrough")),
    "log groups": {name: f"/aws/lambda/{STACK}-{name}" for name in PROVIDERS},
    "choices": dict.fromkeys(PROVIDERS, ("30", "COMPLIANCE", "true", "false", "DEBUG")),
    "failures": dict.fromkeys(PROVIDERS, (0, 300, "DeadLetters")),
    "schedules": dict.fromkeys(PROVIDERS, ("rate(15 minutes)", 0, 60, '{"action": "tick"}', "DeadLetters", "ENABLED")),
    "roles": {name: ("FunctionPolicy", name, "dispatch-own-workers") for name in PROVIDERS},
    "dashboard": 14,
    "projection": "2026-03-01,NOW",
    "workgroup": (True, "Athena engine version 3", 5_000_000_000),
}  # fmt: skip
