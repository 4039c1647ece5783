"""The sources as they are configured: one SSM parameter each, `/{stack}/sources/{provider}/{source}`."""

from console.stack import Stack


def names(stack: Stack) -> list[str]:
    """Return the names of all sources, `elsa/checkout`, in alphabetical order."""
    path = stack.outputs["SourcesPath"]
    pages = stack.clients.parameters.get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=True)
    return sorted(one.get("Name", "").removeprefix(f"{path}/") for page in pages for one in page["Parameters"])
