"""What is wrong with a source's parameter or secret, or with our rights in AWS, and how to mend it. Pure."""

import json

from pydantic import BaseModel

from logarchive.errors import ConfigError
from logarchive.provider.check import Check
from logarchive.provider.provider import Provider
from logarchive.provider.source import Source

#: What AWS refuses, it refuses by the role, by the key's policy, or because the resource is not there.
DO_ROLE = (
    "compare the function's role, and the policy of the stack's key, with the template: `sam deploy` restores the role"
)
DO_WRITE_FIRST = 'write the source with "enabled": false, call doctor for it, then set it to true, or delete it'


def configuration(source: Source) -> Check:
    """Say that a parameter could be read."""
    paused = "" if source.enabled else '; "enabled" is false: nothing is planned or visited'
    return Check("configuration", "ok", f"all fields are valid{paused}")


def configuration_failure(provider: str, error: str) -> Check:
    """Say what is wrong with a parameter."""
    do = f"correct the JSON of the source; its fields are on the page docs/providers/{provider}.md"
    return Check("configuration", "fail", error, do)


def secret(name: str) -> Check:
    """Say that a secret could be read, and has all that the provider needs."""
    return Check("secret", "ok", f"{name} can be read, and is complete")


def credentials() -> Check:
    """Say that the credentials of an event have all that the provider needs."""
    return Check("secret", "ok", "the credentials of the event are complete; no secret was read")


def credentials_failure(error: ConfigError) -> Check:
    """Say what is wrong with the credentials of an event. The message holds no value of them."""
    return Check("secret", "fail", f"{error}", "correct the credentials before they are written")


def secret_failure[S: Source, K: BaseModel](provider: Provider[S, K], source: S, error: Exception) -> Check:
    """Say why a secret cannot be used. The messages of a ConfigError hold no value of a secret."""
    said, name = f"{error}", source.secret
    if not isinstance(error, ConfigError):
        return unexpected("secret", error)
    if "ResourceNotFoundException" in said:
        do = f"aws secretsmanager create-secret --name {name} --secret-string file://secret.json"
    elif "cannot be read" in said:
        do = f"{DO_ROLE}; for a key of your own, the parameter SecretsKmsKeyArn. It may also be marked for deletion"
    else:
        do = f"aws secretsmanager put-secret-value --secret-id {name} --secret-string file://secret.json, in the file "
        do += json.dumps(dict.fromkeys(_required(provider.secret), "…"), ensure_ascii=False)
    return Check("secret", "fail", said, do)


def unknown_address() -> Check:
    """Say that the secret of a source that is not written is not sent to an address that only the event names."""
    said = "not sent: no written source uses this base_url, and an event must not decide where a secret is sent"
    return Check("request", "skipped", said, DO_WRITE_FIRST)


def unexpected(check: str, error: Exception) -> Check:
    """Say that AWS refused something, or that something else went wrong which nobody foresaw."""
    of_aws = hasattr(error, "response")  # as the SDK's errors have, which only four modules may know
    do = DO_ROLE if of_aws else "this should not happen: report it with the source's fields, without the secret"
    return Check(check, "fail", f"{type(error).__name__}: {error}", do)


def _required(secret: type[BaseModel]) -> list[str]:
    return [name for name, field in secret.model_fields.items() if field.is_required()]
