"""A bucket in memory beside a real one: whatever a call does to one it does to the other, or the test fails."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from logarchive.store.bucket import Store
from tests.fake_aws import FakeS3


class MirroredS3(FakeS3):
    """Takes a call as the bucket in memory does, held by the gate, makes it on the real bucket, and returns its result.

    A call that only one of the two refuses, or for another reason, is an AssertionError. So is another ETag.
    """

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._real = store
        self._memory = FakeS3(self.objects)

    def put_object(self, *, Key: str, Body: Any, Bucket: str, **options: Any) -> dict[str, Any]:
        body = Body if isinstance(Body, bytes) else Body.read()
        with self._call("s3.put", Key):
            self.writes += 1
            written = self._both(lambda s3, bucket: s3.put_object(Bucket=bucket, Key=Key, Body=body, **options))
        self.objects[Key].version = written["VersionId"]
        return written

    def get_object(self, *, Key: str, Bucket: str) -> dict[str, Any]:
        with self._call("s3.get", Key):
            return self._both(lambda s3, bucket: s3.get_object(Bucket=bucket, Key=Key))

    def head_object(self, *, Key: str, Bucket: str, ChecksumMode: Any = "ENABLED") -> dict[str, Any]:
        with self._call("s3.head", Key):
            return self._both(lambda s3, bucket: s3.head_object(Bucket=bucket, Key=Key, ChecksumMode=ChecksumMode))

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        with self._call("s3.list", Prefix):
            keys = list(self._real.keys(Prefix))
        assert keys == sorted(key for key in self.objects if key.startswith(Prefix))
        yield {"Contents": [{"Key": key} for key in keys]} if keys else {}

    def _both(self, call: Callable[[Any, str], Any]) -> dict[str, Any]:
        real, memory = (_result(partial(call, s3, self._real.bucket)) for s3 in (self._real.client, self._memory))
        if isinstance(real, ClientError):
            assert _reason(real) == _reason(memory)
            raise real
        assert isinstance(memory, dict), memory
        assert (real["ETag"], "VersionId" in real) == (memory["ETag"], True)
        return real


def _result(call: Callable[[], dict[str, Any]]) -> dict[str, Any] | ClientError:
    try:
        return call()
    except ClientError as error:
        return error


def _reason(result: dict[str, Any] | ClientError) -> tuple[object, object]:
    assert isinstance(result, ClientError), result
    return (
        result.response.get("ResponseMetadata", {}).get("HTTPStatusCode"),
        result.response.get("Error", {}).get("Code"),
    )
