"""AWS clients are created when they are first used."""

from dataclasses import dataclass

from logarchive.runtime.aws import on_first_use


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
