"""Loads sources from SSM and secrets from Secrets Manager, as validated models. A bad source never hides the others."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import BaseModel, ValidationError

from logarchive.errors import ConfigError
from logarchive.moment import duration, floor, instant
from logarchive.provider.provider import Provider
from logarchive.provider.source import Source, valid_name
from logarchive.provider.validation import did_you_mean, reasons
from logarchive.record.block import BOM

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient
    from mypy_boto3_ssm.client import SSMClient

#: Errors of Secrets Manager that only the operator can fix.
_UNREADABLE = {
    "ResourceNotFoundException",
    "AccessDeniedException",
    "InvalidRequestException",
    "InvalidParameterException",
    "ValidationException",
    "DecryptionFailure",
}


@dataclass(frozen=True)
class BadSource:
    """A source that cannot be used, and why."""

    name: str
    error: str


@dataclass(frozen=True)
class SourceLoader[S: Source, K: BaseModel]:
    """Loads the sources of one provider, and their secrets."""

    provider: Provider[S, K]
    ssm: "SSMClient"
    secrets: "SecretsManagerClient"
    path: str
    secrets_prefix: str
    archive_from: dt.datetime | None = None
    #: The names of all providers of the stack; none: they are not known.
    providers: tuple[str, ...] = ()
    #: The secrets that were read, by name: a tick or `status` reads each of them once.
    _secrets: dict[str, str] = field(default_factory=dict[str, str], repr=False)

    def load(self) -> tuple[dict[str, S], list[BadSource]]:
        """Read all sources; return the good ones by name, and the bad ones."""
        sources: dict[str, S] = {}
        bad: list[BadSource] = []
        for name, text in self._parameters():
            found = self.judge(name, text)
            if isinstance(found, BadSource):
                bad.append(found)
            else:
                sources[name] = found
        return sources, bad

    def judge(self, source_name: str, text: str) -> S | BadSource:
        """Read one source, whatever the text holds."""
        try:
            return self.parse(source_name, text)
        except ConfigError as error:
            return BadSource(source_name, str(error))
        except Exception as error:  # noqa: BLE001 (one source must never hide the others)
            return BadSource(source_name, f"cannot be read: {type(error).__name__}")

    def load_one(self, source_name: str) -> S:
        """Read one source, in one call. Raises ConfigError if there is no such source, or it is wrong."""
        text = self._text(source_name)
        if text is None:
            raise ConfigError(f"no source {source_name!r} under {self.path}")
        return self.parse(source_name, text)

    def has(self, source_name: str) -> bool:
        """Return whether there is such a source, good or wrong."""
        return self._text(source_name) is not None

    def _text(self, source_name: str) -> str | None:
        try:
            parameter = self.ssm.get_parameter(Name=f"{self.path}/{source_name}", WithDecryption=True)["Parameter"]
        except ClientError as error:
            if _code(error) != "ParameterNotFound":
                raise
            return None
        return parameter.get("Value", "")

    def misplaced(self) -> list[BadSource]:
        """Return the parameters that no function reads, named from the provider on; their values are not read.

        If AWS does not list the names, that is what is wrong, under the name `*`.
        """
        root = self.path.rpartition("/")[0]
        pages = self.ssm.get_paginator("describe_parameters").paginate(
            ParameterFilters=[{"Key": "Path", "Option": "Recursive", "Values": [root]}]
        )
        try:
            names = [item.get("Name", "").removeprefix(f"{root}/") for page in pages for item in page["Parameters"]]
        except ClientError as error:
            what = f"ssm:DescribeParameters was refused ({_code(error)})"
            return [BadSource("*", f"{what}: parameters under no provider's name would not be shown")]
        return [BadSource(name, self._misplaced(name)) for name in names if not self._has_reader(name)]

    def _has_reader(self, name: str) -> bool:
        provider, separator, _ = name.partition("/")
        return not self.providers or bool(separator and provider in self.providers)

    def _misplaced(self, name: str) -> str:
        provider, separator, _ = name.partition("/")
        if not separator:
            what, example = "the name has no provider", f"for instance {self.provider.name}/{name}"
        else:
            what, example = f'"{provider}" is no provider', did_you_mean(provider, self.providers, "providers")
        return f"{what}, so no function reads this parameter; {example}"

    def parse(self, source_name: str, text: str) -> S:
        """Read one source. Raises ConfigError naming every field that is wrong."""
        try:
            valid_name(source_name)
        except ValueError as error:
            raise ConfigError(f'name: "{source_name}" {error}') from None
        try:
            source = self.provider.source.model_validate_json(text.removeprefix(BOM.decode()))
        except ValidationError as error:
            raise ConfigError(reasons(error, self.provider.source)) from None
        grain = duration(self.provider.smallest_window)
        if source.window % self.provider.smallest_window:
            raise ConfigError(f"window: {duration(source.window)} is no multiple of {grain}; for instance {grain}")
        if source.start:
            self.check_aligned("start", source.start)
            self.check_start(source.start)
        self._check_prefix(source.secret)
        return source

    def check_aligned(self, field: str, moment: dt.datetime) -> None:
        """Raise ConfigError if no window of the provider may begin or end at that moment."""
        grain = self.provider.smallest_window
        if (aligned := floor(moment, grain)) != moment:
            raise ConfigError(
                f"{field}: {instant(moment)} is no multiple of {duration(grain)} in UTC; "
                f"for instance {instant(aligned)}"
            )

    def check_start(self, start: dt.datetime) -> None:
        """Raise ConfigError if the table `logs` begins later: no query would find the rows."""
        if self.archive_from and start < self.archive_from:
            raise ConfigError(
                f"start: {instant(start)} is before ArchiveFrom ({self.archive_from:%Y-%m-%d}), the first day of the "
                f"table logs; first set that parameter of the stack to an earlier day, for instance {start:%Y-%m-%d}"
            )

    def secret(self, source: S) -> K:
        """Read a source's credentials. Raises ConfigError, whose message never contains a value of the secret."""
        self._check_prefix(source.secret)
        text = self._secrets.get(source.secret)
        if text is None:
            text = self._secrets[source.secret] = self._secret_text(source.secret)
        return self.credentials(f"secret {source.secret!r}", text)

    def credentials(self, where: str, text: str) -> K:
        """Read credentials from JSON. Raises ConfigError, whose message never contains a value of them."""
        try:
            return self.provider.secret.model_validate_json(text.removeprefix(BOM.decode()))
        except ValidationError as error:
            raise ConfigError(f"{where}: {reasons(error, self.provider.secret)}") from None

    def _secret_text(self, name: str) -> str:
        try:
            return self.secrets.get_secret_value(SecretId=name).get("SecretString", "")
        except ClientError as error:
            if (code := _code(error)) not in _UNREADABLE:
                raise
            raise ConfigError(f"secret {name!r} cannot be read: {code}") from None

    def secret_prefixes(self) -> list[str]:
        """Return how the name of a secret may begin, so that this function may read it; the usual one first."""
        groups = dict.fromkeys((self.provider.secret_group, self.provider.name))
        return [f"{self.secrets_prefix}/{group}/" for group in groups]

    def _check_prefix(self, secret: str) -> None:
        prefixes = self.secret_prefixes()
        if not secret.startswith(tuple(prefixes)):
            raise ConfigError(
                f"secret: the name does not start with {' or '.join(prefixes)}, so this function may not read it; "
                f"for instance {prefixes[0]}prod"
            )

    def _parameters(self) -> Iterator[tuple[str, str]]:
        pages = self.ssm.get_paginator("get_parameters_by_path").paginate(
            Path=self.path, Recursive=True, WithDecryption=True
        )
        for page in pages:
            for item in page["Parameters"]:
                yield item.get("Name", "").removeprefix(f"{self.path}/"), item.get("Value", "")


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
