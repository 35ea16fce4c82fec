"""The route table: templates, precedence, methods."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durahost.functions.route_template import BadTemplate
from durahost.functions.routing import RouteTable, decode_path, encode_path, find_fault
from durahost.model.functions import Binding, FunctionMetadata

pytestmark = pytest.mark.feature("Functions host", "Routes: templates, constraints, order")


def function(name, **properties):
    binding = Binding("req", "httpTrigger", "in", properties)
    return FunctionMetadata(name, Path("/app"), Path("/app/x.py"), "", [binding])


def table(route, prefix="api", **properties):
    return RouteTable.of([function("F", route=route, **properties)], prefix)


def params(route, path, prefix="api"):
    found = table(route, prefix).match("GET", path)
    return None if found is None else dict(found.params)


@pytest.mark.parametrize(
    ("route", "path", "expected"),
    [
        ("items", "/api/items", {}),
        ("items", "/API/Items/", {}),
        ("items", "/api/item", None),
        ("items", "/api/items/1", None),
        ("items", "/api//items", None),
        ("Items/{id}", "/api/items/AbC", {"id": "AbC"}),
        ("items/{id}", "/api/items", None),
        ("items/{id}", "/api/items//", None),
        ("items/{id?}", "/api/items", {}),
        ("items/{id?}", "/api/items/", {}),
        ("a/{b?}/{c?}", "/api/a/1", {"b": "1"}),
        ("a/{b?}/{c?}", "/api/a/1/2", {"b": "1", "c": "2"}),
        ("a/{b?}/c", "/api/a/c", None),
        ("a/{b?}/c", "/api/a/1/c", {"b": "1"}),
        ("a/{b=x}", "/api/a", {"b": "x"}),
        ("a/{b=x}", "/api/a/y", {"b": "y"}),
        ("a/{b:int=5}", "/api/a", {"b": "5"}),
        ("{*rest}", "/api", {}),
        ("{*rest}", "/api/", {}),
        ("{*rest}", "/api/a/b/", {"rest": "a/b/"}),
        ("f/{**rest}", "/api/f/a//b", {"rest": "a//b"}),
        ("{name}.{ext}", "/api/a.b.txt", {"name": "a.b", "ext": "txt"}),
        ("{name}.{ext}", "/api/a", None),
        ("{name}.{ext?}", "/api/a", {"name": "a"}),
        ("{name}.{ext?}", "/api/a.b.c", {"name": "a.b", "ext": "c"}),
        ("{name}.{ext?}", "/api/.bar", {"name": ".bar"}),
        ("{name}.{ext?}", "/api/....", {"name": "..", "ext": "."}),
        ("v{major}-{minor}x", "/api/V1-2-3X", {"major": "1-2", "minor": "3"}),
        ("{id}", "/api/a%20b%C3%A4", {"id": "a bä"}),
        ("{id}", "/api/a%2Fb%2fc", {"id": "a%2Fb%2fc"}),
        ("{id}", "/api/%FF", {"id": "%FF"}),
        ("it%ems", "/api/it%ems", {}),
        ("items", "/%61pi/items", {}),
        ("{{x}}", "/api/{x}", {}),
    ],
)
def test_templates(route, path, expected):
    assert params(route, path) == expected


@pytest.mark.parametrize(
    ("constraint", "good", "bad"),
    [
        ("int", ["1", "-5", "%207"], ["a", "1.5", "2147483648", "9" * 5000]),
        ("long", ["2147483648"], ["9223372036854775808"]),
        ("bool", ["true", "FALSE"], ["1", "yes"]),
        ("datetime", ["2024-01-31", "01-31-2024", "31%20Jan%202024"], ["2024-13-01", "20240131"]),
        ("decimal", ["1", "1.5", "-1,000.5"], ["x", "1e5"]),
        ("double", ["1", "1.5e3", "NaN"], ["x"]),
        ("float", ["1.5"], ["x"]),
        (
            "guid",
            ["2b5e8a30-9f5c-4b6e-8d52-6d3f0c1b7a11", "2b5e8a309f5c4b6e8d526d3f0c1b7a11"],
            ["2b5e8a30"],
        ),
        ("minlength(2)", ["ab"], ["a"]),
        ("maxlength(2)", ["ab"], ["abc"]),
        ("length(2)", ["ab"], ["a", "abc"]),
        ("length(2,3)", ["ab", "abc"], ["a", "abcd"]),
        ("min(2)", ["2", "10"], ["1", "x"]),
        ("max(2)", ["2", "-1"], ["3"]),
        ("range(2,4)", ["2", "4"], ["1", "5"]),
        ("alpha", ["abC"], ["a1", "ä"]),
        ("required", ["a"], []),
        ("regex(^a:b$)", ["a:b", "A:B"], ["ab", "xa:b"]),
        (r"regex(^\d{{2}}=\d$)", ["12=3"], ["1=2"]),
        ("file", ["a.txt"], ["a", "a.."]),
        ("nonfile", ["a"], ["a.txt"]),
        ("int:min(5)", ["5"], ["4", "x"]),
        ("INT", ["1"], ["x"]),
    ],
)
def test_constraints(constraint, good, bad):
    routes = table(f"x/{{p:{constraint}}}")
    assert [one for one in good if routes.match("GET", f"/api/x/{one}") is None] == []
    assert [one for one in bad if routes.match("GET", f"/api/x/{one}") is not None] == []


def test_an_absent_optional_value_meets_its_constraint():
    assert params("x/{p:int?}", "/api/x") == {}
    assert params("x/{p:int?}", "/api/x/a") is None


def test_the_alphabet_decides_not_specificity():
    routes = RouteTable.of(
        [function("List", route="products/list"), function("details", route="products/{id}")], "api"
    )
    found = routes.match("GET", "/api/products/list")
    assert (found.function.name, dict(found.params)) == ("details", {"id": "list"})
    assert [route.function.name for route in routes.routes] == ["details", "List"]


def test_a_wrong_method_falls_through():
    routes = RouteTable.of(
        [
            function("A", route="x", methods=["Get"]),
            function("B", route="{any}", methods=["post"]),
            function("C", route="x", methods=[]),
        ],
        "api",
    )
    assert routes.match("get", "/api/x").function.name == "A"
    assert routes.match("POST", "/api/x").function.name == "B"
    assert routes.match("HEAD", "/api/x") is None
    assert routes.match("DELETE", "/api/x") is None


def test_without_methods_all_are_allowed():
    assert table("x").match("OPTIONS", "/api/x") is not None


def test_the_name_is_the_default_route():
    routes = RouteTable.of([function("Hello"), function("World", route=" ")], "api")
    assert [route.template for route in routes.routes] == ["api/Hello", "api/World"]
    assert routes.match("GET", "/api/hello").function.name == "Hello"


def test_prefixes():
    assert params("x", "/x", prefix="") == {}
    assert params("/x", "/x", prefix="") == {}
    assert params("/", "/", prefix="") == {}
    assert params("x", "/v1/{t}/x".replace("{t}", "9"), prefix="v1/{t}") == {"t": "9"}


def test_the_table_is_for_display():
    timer = FunctionMetadata("T", Path(), Path(), "", [Binding("t", "timerTrigger", "in")])
    routes = RouteTable.of([timer, function("F", route="a/{b}", methods=["get"])], "api").routes
    assert [(r.function.name, r.methods, r.template) for r in routes] == [
        ("F", ["get"], "api/a/{b}")
    ]


def test_an_empty_table_matches_nothing():
    assert RouteTable.empty().match("GET", "/") is None


@pytest.mark.parametrize(
    ("route", "text"),
    [
        ("/x", "separator character '/' cannot appear consecutively"),
        ("a//b", "separator character '/' cannot appear consecutively"),
        ("{id", "There is an incomplete parameter"),
        ("id}", "There is an incomplete parameter"),
        ("{id:nope}", "The constraint reference 'nope' could not be resolved to a type."),
        ("{id:min(x)}", "The constraint reference 'min(x)' could not be created"),
        ("{id:regex(()}", "could not be created"),
        ("{id}/{ID}", "The route parameter name 'ID' appears more than one time"),
        ("{*a}/b", "A catch-all parameter can only appear as the last segment"),
        ("x{*a}", "cannot contain a catch-all parameter"),
        ("{a}{b}", "cannot contain two consecutive parameters"),
        ("a?b", "Literal sections cannot contain the '?' character"),
        ("{}", "The route parameter name '' is invalid"),
        ("{a=1?}", "An optional parameter cannot have default value"),
        ("{*a?}", "A catch-all parameter cannot be marked optional."),
        ("{***a}", "The route parameter name '*a' is invalid"),
        (
            "{a?}-{b}",
            "In the segment '{a?}-{b}', optional parameter 'a' is followed by '-'.",
        ),
        (
            "{a}-{b:int?}",
            "In the segment '{a}-{b:int?}', the optional parameter 'b' is preceded by an invalid "
            "segment '-'. Only a period (.) can precede an optional parameter.",
        ),
        ("x.{b?}", "is preceded by an invalid segment 'x.'"),
        ("{a}{b?}", "is preceded by an invalid segment '{a}'"),
    ],
)
def test_templates_that_cannot_be_routes(route, text):
    fault = find_fault(function("F", route=route), "api")
    assert text in fault
    start = "An error occurred while creating the route with name 'F' and template"
    assert fault.startswith(f"{start} 'api/{route}'. ")
    with pytest.raises(BadTemplate):
        table(route)


def test_a_template_has_no_fault():
    assert find_fault(function("F", route="a/{b:int}"), "api") is None


SEGMENT = st.text(
    st.characters(exclude_characters="/%{}?\0\1", exclude_categories=["Cs"]), min_size=1
)


@given(SEGMENT, SEGMENT)
def test_what_is_put_into_a_path_comes_out(first, second):
    assert params("x/{a}/y/{b}", f"/api/x/{first}/y/{second}") == {"a": first, "b": second}


# ASCII: elsewhere the other case of a character may be longer, or not lead back.
ASCII_SEGMENT = st.text(st.characters(codec="ascii", exclude_characters="/%{}?~\0\1"), min_size=1)


# A blank route is none: the function's name stands in for it.
ROUTES = st.lists(ASCII_SEGMENT, min_size=1).filter(lambda parts: "".join(parts).strip())


@given(ROUTES, SEGMENT)
def test_a_literal_route_matches_itself_in_any_case_and_no_longer_path(parts, more):
    route = "/".join(parts)
    assert params(route, f"/api/{route.upper()}") == {}
    assert params(route, f"/api/{route}/{more}") is None


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_decoding_undoes_encoding(text):
    encoded = "".join(f"%{byte:02x}" for byte in text.replace("/", "").encode())
    assert decode_path(encoded) == text.replace("/", "")


@pytest.mark.parametrize(
    ("path", "encoded"),
    [
        ("/api/a-b_c.d~e!$&'()*+,;=:@/", "/api/a-b_c.d~e!$&'()*+,;=:@/"),
        ("/api/%41%7e%21", "/api/A~!"),
        ("/api/%c3%a4%20b", "/api/%C3%A4%20b"),
        ("/api/a%2Fb%2fc", "/api/a%2Fb%2fc"),
        ("/api/%FF", "/api/%FF"),
        ("/api/100%", "/api/100%25"),
        ('/api/a"b[', "/api/a%22b%5B"),
    ],
)
def test_a_path_is_escaped_as_little_as_may_be(path, encoded):
    assert encode_path(path) == encoded


def test_the_log_lines_of_the_routes():
    functions = [function("B", route="b/{id:int}", methods=["get", "post"]), function("a")]
    assert RouteTable.of(functions, "api").describe("api") == (
        "Initializing function HTTP routes\n"
        "Mapped function route 'api/a' [all] to 'a'\n"
        "Mapped function route 'api/b/{id:int}' [get,post] to 'B'"
    )
    bare = RouteTable.of([function("F", route="{*rest}", methods=[])], "")
    assert bare.describe("").endswith("route '/{*rest}' [] to 'F'")
    assert RouteTable.empty().describe("api") == "No HTTP routes mapped"


def test_a_new_table_answers_what_an_old_one_answered():
    old, new = table("items/{id}"), RouteTable.of([function("G", route="{*all}")], "api")
    for _ in range(2):
        assert old.match("GET", "/api/items/1").function.name == "F"
        assert new.match("GET", "/api/items/1").function.name == "G"
        assert RouteTable.empty().match("GET", "/api/items/1") is None
