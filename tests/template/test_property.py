"""Each property that matters. Parameters differ from their defaults, so that a default is not taken for a choice."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.scenario import TIMEOUT
from tests.template.transform import Deployed

CHOSEN: Mapping[str, str] = {
    "ScheduleExpression": "rate(15 minutes)",
    "ArchiveFrom": "2026-03-01",
    "RawRetentionDays": "30",
    "RawRetentionMode": "COMPLIANCE",
    "PerSourceMetrics": "true",
    "LogLevel": "DEBUG",
    "LogRetentionDays": "90",
    "QueryBytesLimit": "5000000000",
}
BLOCKED = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
ENCRYPTION = "BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault"
ARCHIVE = "arn:aws:s3:::logarchive-archivebucket"
RESULTS = "arn:aws:s3:::logarchive-resultsbucket"
DEAD_LETTERS = "arn:aws:sqs:ap-northeast-2:111122223333:logarchive-deadletters"


def denied(sid: str, action: str, resource: object, **condition: object) -> dict[str, object]:
    what = {"Sid": sid, "Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource}
    return what | {"Condition": condition}


NO_TLS = {"aws:SecureTransport": "false"}
PROPERTIES: dict[str, object] = {
    "ArchiveBucketPolicy/PolicyDocument/Statement": [
        denied("TlsOnly", "s3:*", [ARCHIVE, f"{ARCHIVE}/*"], Bool=NO_TLS),
        denied(
            *("RawIsWrittenOnce", "s3:PutObject", f"{ARCHIVE}/raw/*"),
            Null={"s3:if-none-match": "true"},
            Bool={"s3:ObjectCreationOperation": "true"},
        ),
        denied(
            *("ProofIsWrittenByTheNotary", "s3:PutObject", f"{ARCHIVE}/proof/*"),
            ArnNotEquals={"aws:PrincipalArn": "arn:aws:iam::111122223333:role/logarchive-notaryrole"},
        ),
        denied(
            *("CoverageIsWrittenByTheNotary", "s3:PutObject", f"{ARCHIVE}/coverage/*"),
            ArnNotEquals={"aws:PrincipalArn": "arn:aws:iam::111122223333:role/logarchive-notaryrole"},
        ),
        denied(
            *("ProofIsWrittenOnce", "s3:PutObject", [f"{ARCHIVE}/proof/tile/*", f"{ARCHIVE}/proof/checkpoints/*"]),
            Null={"s3:if-none-match": "true"},
            Bool={"s3:ObjectCreationOperation": "true"},
        ),
        denied(
            *("ProofIsReplacedKnowingly", "s3:PutObject", f"{ARCHIVE}/proof/*"),
            Null={"s3:if-none-match": "true", "s3:if-match": "true"},
            Bool={"s3:ObjectCreationOperation": "true"},
        ),
    ],
    "ResultsBucketPolicy/PolicyDocument/Statement": [denied("TlsOnly", "s3:*", [RESULTS, f"{RESULTS}/*"], Bool=NO_TLS)],
    "DeadLettersPolicy/PolicyDocument/Statement": [denied("TlsOnly", "sqs:*", DEAD_LETTERS, Bool=NO_TLS)],
    "ArchiveBucket/ObjectLockEnabled": True,
    "ArchiveBucket/VersioningConfiguration/Status": "Enabled",
    "ArchiveBucket/PublicAccessBlockConfiguration": BLOCKED,
    "ArchiveBucket/OwnershipControls/Rules/0/ObjectOwnership": "BucketOwnerEnforced",
    f"ArchiveBucket/{ENCRYPTION}": {"SSEAlgorithm": "AES256"},
    "ResultsBucket/PublicAccessBlockConfiguration": BLOCKED,
    f"ResultsBucket/{ENCRYPTION}": {"SSEAlgorithm": "AES256"},
    "ArchiveName/Name": "/logarchive/bucket",
    "ArchiveName/Value": "logarchive-archivebucket",
    "LedgerName/Name": "/logarchive/table",
    "LedgerName/Value": "logarchive-ledgertable",
    "LedgerTable/BillingMode": "PAY_PER_REQUEST",
    "LedgerTable/DeletionProtectionEnabled": True,
    "LedgerTable/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled": True,
    "LedgerTable/SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
    "LedgerTable/LocalSecondaryIndexes/0/IndexName": "due",
    "LedgerTable/GlobalSecondaryIndexes": [
        {
            "IndexName": "unproven",
            "KeySchema": [
                {"AttributeName": "source", "KeyType": "HASH"},
                {"AttributeName": "unproven", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
    "DeadLetters": {"MessageRetentionPeriod": 1209600, "SqsManagedSseEnabled": True},
    "LogsTable/TableInput/Parameters/projection.date.range": "2026-03-01,NOW",
    "Workgroup/WorkGroupConfiguration/EnforceWorkGroupConfiguration": True,
    "Workgroup/WorkGroupConfiguration/EngineVersion/SelectedEngineVersion": "Athena engine version 3",
    "Workgroup/WorkGroupConfiguration/BytesScannedCutoffPerQuery": "5000000000",
    "Workgroup/WorkGroupConfiguration/ResultConfiguration/OutputLocation": "s3://logarchive-resultsbucket/",
    # One provider stands for all: `test_alike` compares their blocks.
    # A lease outlives the function, as `test_work` shows for this time.
    "ElsaFunction/Timeout": TIMEOUT.total_seconds(),
    "ElsaFunction/MemorySize": 1769,
    "ElsaFunction/EphemeralStorage/Size": 4096,
    "ElsaFunction/Environment/Variables/ARCHIVE_FROM": "2026-03-01",
    "ElsaFunction/Environment/Variables/RAW_RETENTION_DAYS": "30",
    "ElsaFunction/Environment/Variables/RAW_RETENTION_MODE": "COMPLIANCE",
    "ElsaFunction/Environment/Variables/PER_SOURCE_METRICS": "true",
    "ElsaFunction/Environment/Variables/TRACING": "false",
    "ElsaFunction/Environment/Variables/LOG_LEVEL": "DEBUG",
    "ElsaFunctionTick/ScheduleExpression": "rate(15 minutes)",
    "ElsaLogGroup/LogGroupName": "/aws/lambda/logarchive-elsa",
    "ElsaLogGroup/RetentionInDays": "90",
    "NotaryFunction/Timeout": TIMEOUT.total_seconds(),
    "NotaryFunction/MemorySize": 512,
    "NotaryFunctionTick/ScheduleExpression": "rate(15 minutes)",
    "NotaryLogGroup/LogGroupName": "/aws/lambda/logarchive-notary",
    "NotaryLogGroup/RetentionInDays": "90",
    "ProofSigningKey/PendingWindowInDays": 30,
}


@pytest.mark.parametrize("place", PROPERTIES)
def test_a_property_is_as_it_must_be(place: str) -> None:
    name, *path = place.split("/")
    value: Any = Deployed(CHOSEN).properties(name)
    for step in path:
        value = value[int(step) if step.isdecimal() else step]
    assert value == PROPERTIES[place]
