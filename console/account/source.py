"""The sources as they are configured: an SSM parameter each, `/{stack}/sources/{provider}/{source}`, and a secret."""

import json
from collections.abc import Mapping
from typing import Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from console.account.stack import SourceName, Stack
from console.failure import ConsoleError, code_of, explained

type Document = dict[str, Any]


def parsed(text: str) -> Document | None:
    """Return the document of a parameter; None if it is no JSON object. Pure."""
    try:
        document = json.loads(text.removeprefix("\ufeff"))
    except ValueError:
        return None
    return cast("Document", document) if isinstance(document, dict) else None


def exists(stack: Stack, source: SourceName) -> bool:
    """Return whether there is a parameter of that source."""
    return _parameter(stack, source) is not None


def change(stack: Stack, source: SourceName, **fields: object) -> Document:
    """Set fields of a source's document, and leave the others, and the parameter's key, as they are; return it."""
    parameter = _parameter(stack, source)
    if parameter is None:
        raise stack.no_source(source)
    document = parsed(parameter["Value"])
    if document is None:
        raise ConsoleError(f"{source}: its parameter {_path(stack, source)} is no JSON object: correct it first")
    document |= fields
    key = _key(stack, source, parameter["Type"])
    own: dict[str, Any] = {"KeyId": key} if key else {}
    stack.clients.parameters.put_parameter(
        Name=_path(stack, source), Value=json.dumps(document), Type=parameter["Type"], Overwrite=True, **own
    )
    return document


def _key(stack: Stack, source: SourceName, kind: str) -> str | None:
    """Return the KMS key of a SecureString: a write without it would take the account's default key."""
    if kind != "SecureString":
        return None
    found = stack.clients.parameters.describe_parameters(
        ParameterFilters=[{"Key": "Name", "Option": "Equals", "Values": [_path(stack, source)]}]
    )["Parameters"]
    return found[0].get("KeyId") if found else None


def document(stack: Stack, source: SourceName) -> Document | None:
    """Return the document of a source; None if there is none, or it is no JSON object."""
    parameter = _parameter(stack, source)
    return parsed(parameter["Value"]) if parameter else None


def create(stack: Stack, source: SourceName, document: Mapping[str, Any]) -> str:
    """Write the parameter of a new source; return the parameter's name."""
    stack.clients.parameters.put_parameter(Name=_path(stack, source), Value=json.dumps(document), Type="String")
    return _path(stack, source)


def create_with_secret(
    stack: Stack, source: SourceName, document: Mapping[str, Any], credentials: Mapping[str, str]
) -> str:
    """Write a new secret, then the parameter that names it; say so if only the secret could be written."""
    create_secret(stack, document["secret"], credentials)
    try:
        return create(stack, source, document)
    except (BotoCoreError, ClientError) as error:
        raise ConsoleError(
            f"the secret {document['secret']} was written, the source {source} was not: {explained(error)}; "
            "once that is mended, run the same command without --secret-file"
        ) from error


def delete(stack: Stack, source: SourceName) -> None:
    """Delete a source's parameter. What was archived, and the ledger, stay."""
    if not exists(stack, source):
        raise stack.no_source(source)
    stack.clients.parameters.delete_parameter(Name=_path(stack, source))


def has_secret(stack: Stack, name: str) -> bool:
    """Return whether there is a secret of that name; it is not read. Raises ConsoleError if it is to be deleted."""
    try:
        described = stack.clients.secrets.describe_secret(SecretId=name)
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
        return False
    if "DeletedDate" in described:
        raise ConsoleError(
            f"the secret {name} is marked for deletion: take that back with "
            f"`aws secretsmanager restore-secret --secret-id {name}`, or name another one: --set secret=NAME"
        )
    return True


def create_secret(stack: Stack, name: str, values: Mapping[str, str]) -> None:
    """Write a new secret, with the stack's key for secrets if it has one."""
    key = stack.parameters.get("SecretsKmsKeyArn")
    text = json.dumps(dict(values))
    if key:
        stack.clients.secrets.create_secret(Name=name, SecretString=text, KmsKeyId=key)
    else:
        stack.clients.secrets.create_secret(Name=name, SecretString=text)


def _parameter(stack: Stack, source: SourceName) -> Any:  # noqa: ANN401 (boto3's ParameterTypeDef; None if there is none)
    try:
        return stack.clients.parameters.get_parameter(Name=_path(stack, source), WithDecryption=True)["Parameter"]
    except ClientError as error:
        if code_of(error) != "ParameterNotFound":
            raise
        return None


def _path(stack: Stack, source: SourceName) -> str:
    return f"{stack.outputs['SourcesPath']}/{source}"
