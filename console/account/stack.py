"""The deployed stack: found by its name, with its functions, its table and its bucket, as its outputs name them."""

import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from console.account.access import Access, Clients
from console.failure import ConsoleError, code_of

#: By these outputs a stack is known as one of ours.
_NEEDED = ("BucketName", "LedgerTableName", "SourcesPath")
_FUNCTION = re.compile(r"(\w+)FunctionName")
_NOTARY = "notary"
#: How a function refuses an event with a field that it does not know.
_UNKNOWN_FIELD = re.compile(r"(\w+): unknown field")
#: How a function refuses a source that it does not know.
_NO_SOURCE = re.compile(r"no source '")
#: States in which the stack is not, or no longer, there as a whole.
_UNUSABLE = re.compile("CREATE_(IN_PROGRESS|FAILED)|ROLLBACK_.*|DELETE_.*|REVIEW_IN_PROGRESS|IMPORT_ROLLBACK_.*")

type Result = dict[str, Any]


@dataclass(frozen=True)
class SourceName:
    """A source as commands name it: `elsa/checkout`."""

    provider: str
    name: str

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"{self.provider}/{self.name}"


@dataclass(frozen=True)
class Stack:
    """A stack that is deployed."""

    name: str
    outputs: Mapping[str, str]
    clients: Clients
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def functions(self) -> dict[str, str]:
        """The functions' names in AWS, by what they are of: a provider's name, or `notary`."""
        return functions(self.outputs)

    @property
    def providers(self) -> list[str]:
        """The providers' names in alphabetical order."""
        return sorted(set(self.functions) - {_NOTARY})

    def function(self, name: str) -> str:
        """Return the name of a function in AWS. Raises ConsoleError if the stack is too old to have it."""
        if name not in self.functions:
            raise ConsoleError(f"there is no function of {name}: {self._outdated}")
        return self.functions[name]

    def output(self, name: str, what: str) -> str:
        """Return an output that not every stack has; raise ConsoleError naming what it is needed for."""
        if name not in self.outputs:
            raise ConsoleError(f"stack {self.name} has no output {name}, so {what}")
        return self.outputs[name]

    def sources(self) -> dict[str, str]:
        """Return the text of every source's parameter by the source's name, `elsa/checkout`, in alphabetical order."""
        path = self.outputs["SourcesPath"]
        pages = self.clients.parameters.get_paginator("get_parameters_by_path").paginate(
            Path=path, Recursive=True, WithDecryption=True
        )
        found = [one for page in pages for one in page["Parameters"]]
        return dict(sorted((one.get("Name", "").removeprefix(f"{path}/"), one.get("Value", "")) for one in found))

    def no_source(self, source: object) -> ConsoleError:
        """Return the error of a command that names a source which is not there: it says which sources there are."""
        return ConsoleError(f"there is no source {source}; the sources are: {', '.join(self.sources()) or 'none'}")

    def source(self, text: str) -> SourceName:
        """Read the name of a source that there should be. Raises ConsoleError if there can be none of that name."""
        provider, _, name = text.partition("/")
        if not name or provider not in self.providers:
            raise self.no_source(text)
        return SourceName(provider, name)

    def source_name(self, text: str) -> SourceName:
        """Read the name of a new source. Raises ConsoleError if it is none, or of no provider of the stack."""
        provider, _, name = text.partition("/")
        if not name:
            example = f"{provider}/shop" if provider in self.providers else f"{self.providers[0]}/{provider or 'shop'}"
            raise ConsoleError(f"{text}: is not PROVIDER/SOURCE; for instance {example}")
        if provider not in self.providers:
            raise ConsoleError(f"{text}: stack {self.name} has no provider {provider}, but {', '.join(self.providers)}")
        return SourceName(provider, name)

    def act(self, function: str, action: str, **fields: object) -> Result:
        """Have a function carry out an action; return its result. Raises ConsoleError if it refuses, or fails."""
        event = {"action": action} | {name: value for name, value in fields.items() if value is not None}
        result = self._invoked(function, event)
        if result.get("ok"):
            return result
        error = "; ".join(str(one.get("error")) for one in result.get("errors", [])) or str(result)
        if f'"{action}" is no action' in error:
            raise ConsoleError(f"the function of {function} does not know {action}: {self._outdated}")
        if _NO_SOURCE.match(error) and "source" in fields:
            raise self.no_source(f"{function}/{fields['source']}")
        if unknown := _UNKNOWN_FIELD.match(error):
            raise ConsoleError(f"{action} of {function} does not know the field {unknown[1]} yet: {self._outdated}")
        raise ConsoleError(error)

    def survey(
        self, action: str, source: str | None = None, providers: Sequence[str] | None = None, **fields: object
    ) -> dict[str, Result]:
        """Have the functions look at all their sources, or at those of some providers, or at one; by provider."""
        if source is not None:
            named = self.source(source)
            return {named.provider: self.act(named.provider, action, source=named.name, **fields)}
        providers = self.providers if providers is None else providers
        _ = self.clients.functions  # made once, before there are threads
        with ThreadPoolExecutor() as pool:
            results = pool.map(partial(self._whole, action, fields), providers)
            return dict(zip(providers, results, strict=True))

    def _whole(self, action: str, fields: Mapping[str, object], provider: str) -> Result:
        """Call after call, since one does not always get through all sources."""
        whole = result = self.act(provider, action, **fields)
        while result["next"]:
            result = self.act(provider, action, **fields, start=result["next"])
            whole = whole | {name: whole[name] + result[name] for name in ("sources", "errors") if name in whole}
        return whole

    @property
    def _outdated(self) -> str:
        return (
            f"stack {self.name} was deployed from an earlier version; deploy the current one: sam build && sam deploy"
        )

    def _invoked(self, function: str, event: Mapping[str, object]) -> Result:
        name = self.function(function)
        try:
            response = self.clients.functions.invoke(FunctionName=name, Payload=json.dumps(event))
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
            raise ConsoleError(
                f"stack {self.name} is only half there: it names a function {name}, which does not exist; "
                "deploy it again: sam build && sam deploy"
            ) from None
        result: Result = json.loads(response["Payload"].read())
        if "FunctionError" in response:
            raise ConsoleError(
                f"the function {name} failed: {result.get('errorMessage', result)}; "
                f"its log says more: aws logs tail /aws/lambda/{name}"
            )
        return result


def functions(outputs: Mapping[str, str]) -> dict[str, str]:
    """Return the names of the functions, by what they are of. Pure."""
    named = ((_FUNCTION.fullmatch(output), value) for output, value in outputs.items())
    return {match[1].lower(): value for match, value in named if match}


def find(access: Access) -> Stack:
    """Find the stack. Raises ConsoleError if there is none of that name, or it is not there as a whole."""
    clients = Clients(access)
    try:
        (described,) = clients.cloudformation.describe_stacks(StackName=access.stack_name)["Stacks"]
    except ClientError as error:
        if code_of(error) != "ValidationError":
            raise
        raise ConsoleError(_missing(clients)) from None
    outputs = {one.get("OutputKey", ""): one.get("OutputValue", "") for one in described.get("Outputs", [])}
    if trouble := unusable(described["StackStatus"], outputs):
        raise ConsoleError(f"stack {access.stack_name} in {clients.region} {trouble}")
    parameters = {one.get("ParameterKey", ""): one.get("ParameterValue", "") for one in described.get("Parameters", [])}
    return Stack(access.stack_name, outputs, clients, parameters)


def unusable(status: str, outputs: Mapping[str, str]) -> str | None:
    """Return why a stack cannot be used, and what to do; None if it can. Pure."""
    if _UNUSABLE.fullmatch(status):
        return (
            f"is only half there ({status}): wait until its deployment ends, "
            "or see why it failed and deploy it again: sam build && sam deploy"
        )
    if missing := [name for name in _NEEDED if name not in outputs]:
        return f"is not one of logarchive: it has no output {missing[0]}; name another: --stack NAME"
    if not set(functions(outputs)) - {_NOTARY}:
        return "has no function of a provider: deploy it again: sam build && sam deploy"
    return None


def _missing(clients: Clients) -> str:
    """Return that there is no stack of the name that was given, and which others of the region may be meant."""
    name, demo = clients.access.stack_name, clients.access.endpoint
    said = f"the demo at {demo} has no stack named {name}" if demo else f"there is no stack named {name}"
    said += "" if demo else f" in {clients.region}"
    names = _archives(clients)
    if names:
        there = "There is" if len(names) == 1 else "There are"
        return f"{said}. {there}: {', '.join(names)}. Give it as --stack {names[0]}"
    if demo:
        return f"{said}, and no other archive: wait until it is deployed"
    return f"{said}: name it with --stack, its region with --region"


def _archives(clients: Clients) -> list[str]:
    """Return the names of the region's stacks that are archives; none if AWS does not say."""
    try:
        pages = clients.cloudformation.get_paginator("describe_stacks").paginate()
        stacks = [stack for page in pages for stack in page["Stacks"]]
    except ClientError:
        return []
    outputs = {
        stack["StackName"]: {one.get("OutputKey", ""): "" for one in stack.get("Outputs", [])} for stack in stacks
    }
    return sorted(name for name, own in outputs.items() if set(_NEEDED) <= own.keys())
