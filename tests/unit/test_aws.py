"""AWS clients are created when they are first used, from the service descriptions that the layer keeps."""

import re
from dataclasses import dataclass
from pathlib import Path

from logarchive.runtime import aws
from logarchive.runtime.aws import on_first_use

LAYER_BUILD = Path(__file__).parents[2] / "layers" / "shared" / "layer.mk"


@dataclass
class Client:
    region: str


def test_a_client_is_created_once_and_only_when_it_is_used() -> None:
    created: list[Client] = []

    def create() -> Client:
        created.append(Client("ap-northeast-2"))
        return created[-1]

    client = on_first_use(create)
    assert not created
    assert [client.region, client.region] == ["ap-northeast-2"] * 2
    assert len(created) == 1


def test_the_layer_keeps_the_description_of_every_service_that_a_client_is_created_for() -> None:
    used = re.findall(r'(?:client|resource)\("([a-z0-9]+)"', Path(aws.__file__).read_text())
    (kept,) = re.findall(r"^SERVICES := (.*)$", LAYER_BUILD.read_text(), re.MULTILINE)
    assert {"cloudwatch", "dynamodb", "kms", "lambda", "s3"} <= {*used} <= {*kept.split()}
