"""One route template: parsing it, and matching a decoded path against it.

Literals and parameter names compare without case; a value keeps its case. Constraints are asked
after the whole path has matched.
Sources: dotnet/aspnetcore: Routing/src/Patterns/RoutePatternParser.cs,
Routing/src/Template/TemplateMatcher.cs, Routing/src/Matching/RoutePatternMatcher.cs.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from durahost.functions.route_constraints import Test, UnknownConstraint, parse_constraint


class BadTemplate(ValueError):
    """A template that cannot be a route; the text is ASP.NET Core's."""


@dataclass(frozen=True, slots=True)
class _Parameter:
    name: str
    default: str | None = None
    is_optional: bool = False
    is_catch_all: bool = False
    tests: Sequence[Test] = ()

    @property
    def may_be_absent(self) -> bool:
        return self.is_optional or self.is_catch_all or self.default is not None


@dataclass(frozen=True, slots=True)
class _Segment:
    """A literal, one parameter, or a mixture with patterns, the first that matches counting.

    literal: lower-case.
    """

    parameters: Sequence[_Parameter] = ()
    literal: str | None = None
    patterns: Sequence[re.Pattern[str]] = ()

    @property
    def may_be_absent(self) -> bool:
        if self.literal is not None or self.patterns:
            return False
        return self.parameters[0].may_be_absent

    def match(self, text: str) -> Mapping[str, str] | None:
        if self.literal is not None:
            return {} if text.lower() == self.literal else None
        if not self.patterns:
            return {self.parameters[0].name: text}
        for pattern in self.patterns:
            if found := pattern.fullmatch(text):
                # The pattern without the optional last parameter has one group less.
                pairs = zip(self.parameters, found.groups(), strict=False)
                return {parameter.name: value for parameter, value in pairs}
        return None


@dataclass(frozen=True)
class RouteTemplate:
    """A parsed template; build it with `parse`."""

    text: str
    segments: Sequence[_Segment]

    @classmethod
    def parse(cls, text: str) -> "RouteTemplate":
        """Parse a template without its leading `/`; BadTemplate when it is wrong."""
        trimmed = text.removeprefix("~/").removeprefix("/")
        parts = _split(trimmed)
        if parts and not parts[-1]:
            parts.pop()
        if "" in parts:
            raise BadTemplate(
                "The route template separator character '/' cannot appear consecutively. It must "
                "be separated by either a parameter or a literal value."
            )
        template = cls(text, [_parse_segment(part) for part in parts])
        template._check()
        return template

    def match(self, path: str) -> Mapping[str, str] | None:
        """Match a decoded path; its leading and one trailing `/` do not count.

        Shape: parameter name as in the template → value; absent optional parameters are left out.
        """
        rest = path.removeprefix("/")
        values: dict[str, str] = {}
        for segment in self.segments:
            if not rest:
                if not segment.may_be_absent:
                    return None
                continue
            if segment.parameters and segment.parameters[0].is_catch_all:
                values[segment.parameters[0].name] = rest
                rest = ""
                continue
            text, _, rest = rest.partition("/")
            found = segment.match(text) if text else None
            if found is None:
                return None
            values.update(found)
        if rest:
            return None
        return self._complete(values)

    def _complete(self, values: dict[str, str]) -> Mapping[str, str] | None:
        for parameter in self._parameters:
            if parameter.default is not None:
                values.setdefault(parameter.name, parameter.default)
            value = values.get(parameter.name)
            if value is not None and not all(test(value) for test in parameter.tests):
                return None
        return values

    @cached_property
    def _parameters(self) -> Sequence[_Parameter]:
        return [parameter for segment in self.segments for parameter in segment.parameters]

    def _check(self) -> None:
        names: set[str] = set()
        for parameter in self._parameters:
            if parameter.name.lower() in names:
                raise BadTemplate(
                    f"The route parameter name '{parameter.name}' appears more than one time in "
                    "the route template."
                )
            names.add(parameter.name.lower())
        if any(one.is_catch_all for segment in self.segments[:-1] for one in segment.parameters):
            raise BadTemplate(
                "A catch-all parameter can only appear as the last segment of the route template."
            )


def _split(template: str) -> list[str]:
    """Split at `/`, but not inside braces (a regex constraint may hold one)."""
    parts = [""]
    depth = 0
    for character in template.replace("{{", "\0").replace("}}", "\1"):
        depth += (character == "{") - (character == "}")
        if depth not in (0, 1):
            raise _incomplete()
        if character == "/" and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    if depth:
        raise _incomplete()
    return parts


def _incomplete() -> BadTemplate:
    return BadTemplate(
        "There is an incomplete parameter in the route template. "
        "Check that each '{' character has a matching '}' character."
    )


def _unescape(text: str) -> str:
    """Give doubled braces back as single ones."""
    return text.replace("\0", "{").replace("\1", "}")


def _parse_segment(text: str) -> _Segment:
    pieces = re.split(r"(\{[^{}]*\})", text)
    literals = [_parse_literal(piece) for piece in pieces[::2]]
    parameters = [_parse_parameter(piece[1:-1]) for piece in pieces[1::2]]
    if not parameters:
        return _Segment(literal=literals[0].lower())
    if literals == ["", ""]:
        return _Segment(parameters=parameters)
    if any(parameter.is_catch_all for parameter in parameters):
        raise BadTemplate(
            "A path segment that contains more than one section, such as a literal section or a "
            "parameter, cannot contain a catch-all parameter."
        )
    _check_optional([_unescape(piece) for piece in pieces if piece])
    if "" in literals[1:-1]:
        raise BadTemplate(
            "A path segment cannot contain two consecutive parameters. They must be separated by "
            "a '/' or by a literal string."
        )
    patterns = [_build_pattern(literals)]
    if parameters[-1].is_optional:
        # It takes the dot before it with it.
        patterns.append(_build_pattern([*literals[:-2], ""]))
    return _Segment(parameters=parameters, patterns=patterns)


def _check_optional(parts: Sequence[str]) -> None:
    """An optional parameter of a mixed segment is its last part, after a dot that stands alone."""
    segment = "".join(parts)
    for index, part in enumerate(parts):
        if not (part.startswith("{") and part.endswith("?}")):
            continue
        name = re.split("[:=?]", part[1:], maxsplit=1)[0]
        if index < len(parts) - 1:
            raise BadTemplate(
                f"An optional parameter must be at the end of the segment. In the segment "
                f"'{segment}', optional parameter '{name}' is followed by '{parts[index + 1]}'."
            )
        if parts[index - 1] != ".":
            raise BadTemplate(
                f"In the segment '{segment}', the optional parameter '{name}' is preceded by an "
                f"invalid segment '{parts[index - 1]}'. Only a period (.) can precede an optional "
                "parameter."
            )


def _build_pattern(literals: Sequence[str]) -> re.Pattern[str]:
    """Build the pattern of literals with values between them; matching runs from the right."""
    escaped = "(.+)".join(re.escape(literal) for literal in literals)
    return re.compile(escaped, re.IGNORECASE | re.DOTALL)


def _parse_literal(text: str) -> str:
    if "?" in text:
        raise BadTemplate(
            f"The literal section '{_unescape(text)}' is invalid. Literal sections cannot contain "
            "the '?' character."
        )
    return _unescape(text)


def _parse_parameter(text: str) -> _Parameter:
    """Parse the inside of braces: `*name:constraint:constraint=default` or `name?`."""
    body = text.removeprefix("*").removeprefix("*")
    is_optional = body.endswith("?")
    if is_optional and body != text:
        raise BadTemplate("A catch-all parameter cannot be marked optional.")
    (name, *constraints), default = _split_parameter(body.removesuffix("?"))
    if not name or re.search(r"[/{}?*]", name):
        raise BadTemplate(
            f"The route parameter name '{name}' is invalid. Route parameter names must be "
            "non-empty and cannot contain these characters: '{', '}', '/'. The '?' character "
            "marks a parameter as optional, and can occur only at the end of the parameter. The "
            "'*' character marks a parameter as catch-all, and can occur only at the start of the "
            "parameter."
        )
    if is_optional and default is not None:
        raise BadTemplate("An optional parameter cannot have default value.")
    try:
        tests = [parse_constraint(_unescape(one)) for one in constraints]
    except UnknownConstraint as error:
        raise BadTemplate(str(error)) from error
    return _Parameter(name, default, is_optional, body != text, tests)


def _split_parameter(body: str) -> tuple[list[str], str | None]:
    """Split into the name with its constraints, and the default (None when there is none).

    `:` and `=` inside parentheses belong to a constraint's argument.
    """
    parts: list[str] = [""]
    depth = 0
    for index, character in enumerate(body):
        depth += (character == "(") - (character == ")")
        if depth <= 0 and character == "=":
            return parts, body[index + 1 :]
        if depth <= 0 and character == ":":
            parts.append("")
        else:
            parts[-1] += character
    return parts, None
