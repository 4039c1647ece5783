"""The archive's bucket: one object of it."""

from botocore.exceptions import ClientError

from console.account.stack import Stack
from console.core.record import MOST_BYTES
from console.failure import ConsoleError, code_of


def read(stack: Stack, key: str) -> bytes:
    """Return an object's bytes. Raises ConsoleError if there is none, or it is too large to be looked at here."""
    bucket = stack.outputs["BucketName"]
    try:
        response = stack.clients.objects.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if code_of(error) != "NoSuchKey":
            raise
        raise ConsoleError(f"the bucket {bucket} has no {key}") from None
    if response["ContentLength"] > MOST_BYTES:
        raise ConsoleError(f"{key} has {response['ContentLength']:,} bytes: copy it with `aws s3 cp` to look at it")
    return response["Body"].read()
