"""How the refusals of a running mock are told to somebody who sees options and arguments, not a body and a path."""

import inspect
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from typer.models import ArgumentInfo, OptionInfo

_MOST = 10
"""So many sentences are told, and how many more there are."""
_DOCUMENT = re.compile(r"\s*(?:What is expected is|The paths are) in the OpenAPI document that GET /_mock names\.")
_GENERAL = "Wrong input, "

# Members of the API that are given by a parameter of another name; of several, by the one that a command has.
_GIVEN_BY = {
    "advance": ("by",),
    "certificates": ("cert",),
    "do": ("effect",),
    "from": ("source",),
    "id": ("mandate", "fault"),
    "now": ("now", "when"),
    "number": ("number", "enterprise", "fault"),
    "parameters": ("parameter",),
    "permissions": ("permission",),
    "proposed_by": ("by",),
}


def labels(parameters: Mapping[str, inspect.Parameter]) -> dict[str, str]:
    """Return what people call the parameters of a command: `--client-id`, `NUMBER`, by the API's names for them."""
    found = {name: label for name, parameter in parameters.items() if (label := _label(name, parameter))}
    for member, names in _GIVEN_BY.items():
        known = [found[name] for name in names if name in found]
        if known:
            found[member] = known[0]
    return found


def _label(name: str, parameter: inspect.Parameter) -> str | None:
    for info in getattr(parameter.annotation, "__metadata__", ()):
        if isinstance(info, ArgumentInfo):
            return (info.metavar or name.upper()).partition("=")[0]
        if isinstance(info, OptionInfo):
            named = [text for text in info.param_decls or () if text.startswith("--")]
            return named[0].partition("/")[0] if named else f"--{name.replace('_', '-')}"
    return None


def refusal(problem: Mapping[str, Any], known: Mapping[str, str], advice: str | None = None) -> list[str]:
    """Return the lines that tell a refusal: the first one without, the others with a margin.

    `known` are the `labels` of the command that was refused; `advice` is what helps with wrong input (400).
    """
    detail = _DOCUMENT.sub("", str(problem.get("detail") or problem["title"]))
    given = problem.get("issues")
    issues = [issue for issue in given if isinstance(issue, dict)] if isinstance(given, list) else []
    if detail.startswith(_GENERAL) and issues:
        # That sentence speaks of bodies and paths, and says no more than the issues do.
        sentences = [_sentence(issue, known) for issue in issues]
        head, *rest = sentences if len(sentences) == 1 else [f"{len(sentences)} things are wrong:", *sentences]
    else:
        head, *rest = detail.split("\n")
        rest += [_sentence(issue, known) for issue in issues if not _is_told(issue, detail)]
    lines = [head, *_limited(rest)]
    if advice is not None:
        lines.append(f"  {advice}")
    return lines


def _is_told(issue: Mapping[str, Any], detail: str) -> bool:
    sentence = issue.get("detail")
    return isinstance(sentence, str) and sentence in detail


def _limited(sentences: Sequence[str]) -> Iterator[str]:
    yield from (f"  {sentence.strip()}" for sentence in sentences[:_MOST])
    if len(sentences) > _MOST:
        yield f"  and {len(sentences) - _MOST} more"


def _sentence(issue: Mapping[str, Any], known: Mapping[str, str]) -> str:
    found = f" (found {json.dumps(issue['value'])})" if "value" in issue else ""
    name = str(issue.get("name") or "")
    place = _option(name, known) or name
    return f"{place and f'{place}: '}{issue.get('detail') or issue.get('title') or 'is wrong'}{found}"


def _option(name: str, known: Mapping[str, str]) -> str | None:
    """Return the option that gave a member, such as `permissions[1]` or `clock.offset`."""
    parts = [part for part in re.split(r"[.\[\]]", name) if part]
    return next((known[part] for part in (parts[0], parts[-1]) if part in known), None) if parts else None
