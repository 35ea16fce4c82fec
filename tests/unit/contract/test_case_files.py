"""Reading cases: tables, states, placeholders, and what is said of a file that is wrong."""

import pytest

from durahost.contract.cases import Body, load_cases
from durahost.contract.errors import CaseError

HEAD = "about: A test.\nsource: somewhere\n"


@pytest.fixture
def load(tmp_path):
    def load(text, select=None, states="unknown: {}\n"):
        (tmp_path / "states.yaml").write_text(states)
        (tmp_path / "some.yaml").write_text(text)
        return load_cases(select, tmp_path)

    return load


def test_a_case_has_steps_in_order(load):
    (case,) = load(
        HEAD
        + """
cases:
  - name: a life
    needs: rpc open
    given:
      - {request: POST orchestrators/A/<id>, body: {a: [1, é]}, expect: 202, save: {new: id}}
    request: GET instances/<new>
    headers: {X-A: b}
    expect: {status: [200, 202], headers: {Location: absent}, has: {input: <any>}}
    then:
      - {request: DELETE instances/<new>, eventually: 404 empty}
"""
    )
    assert (case.name, case.source, case.needs) == ("some/a life", "somewhere", ("rpc", "open"))
    before, main, after = case.steps
    assert (before.method, before.url, before.body) == (
        "POST",
        "orchestrators/A/<id>",
        '{"a":[1,"é"]}',
    )
    assert before.headers == {"Content-Type": "application/json"}
    assert main.expect.statuses == (200, 202)
    assert (main.expect.kind, main.expect.headers) == (Body.HAS, {"location": "absent"})
    assert (after.is_polled, after.expect.kind, after.expect.statuses) == (True, Body.EMPTY, (404,))


def test_a_table_makes_a_case_of_each_row(load):
    cases = load(
        HEAD
        + """
cases:
  - name: <what> is <value>
    table:
      - [what, value]
      - [one, 1]
      - [none, null]
      - [date, 2020-01-01]
    request: GET x/<what>
    expect: {status: 200, body: {v: <value>}}
"""
    )
    assert [case.name for case in cases] == [
        "some/one is 1",
        "some/none is null",
        "some/date is 2020-01-01",
    ]
    assert [case.steps[0].expect.body["v"] for case in cases] == [1, None, "2020-01-01"]
    assert cases[0].steps[0].url == "x/one"


def test_states_bring_steps_needs_and_a_query(load):
    states = """
Pending:
  needs: another-hub
  query: taskHub=Other
  steps:
    - {request: POST orchestrators/A/<id>, expect: 202}
"""
    (case,) = load(
        HEAD + "needs: open\ncases: [{name: a, given: [Pending], request: GET b, expect: 200}]",
        states=states,
    )
    assert (case.query, case.needs) == ("taskHub=Other", ("open", "another-hub"))
    assert [step.url for step in case.steps] == ["orchestrators/A/<id>", "b"]


@pytest.mark.parametrize(
    ("select", "names"),
    [
        (None, ["some/Ab", "some/cd"]),
        ("ab", ["some/Ab"]),
        ("SOME/*", ["some/Ab", "some/cd"]),
        ("c?", ["some/cd"]),
        ("nothing", []),
    ],
)
def test_selection(load, select, names):
    one = "{name: %s, request: GET x, expect: 200}"
    text = HEAD + f"cases: [{one % 'Ab'}, {one % 'cd'}]"
    assert [case.name for case in load(text, select)] == names


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "some.yaml is not YAML"),
        ("- a", "some.yaml holds no mapping"),
        ("about: a\nabout: b", "the key 'about' is there twice"),
        ("abuot: a", "unknown key 'abuot'; the keys are about, source"),
        (HEAD + "cases: [{request: GET x, expect: 200}]", "case '?' has no 'name'"),
        (HEAD + "cases: [{name: a, expect: 200}]", "case 'a' has no 'request'"),
        ("cases: [{name: a, request: GET x, expect: 200}]", "case 'a' has no 'source'"),
        (HEAD + "cases: [{name: a, request: GET, expect: 200}]", "is not 'METHOD path'"),
        (HEAD + "cases: [{name: a, request: GET x}]", "nothing is expected of GET x"),
        (HEAD + "cases: [{name: a, request: GET x, expcet: 200}]", "unknown key 'expcet'"),
        (HEAD + "cases: [{name: a, request: GET x, expect: well}]", "'well' is neither"),
        (HEAD + "cases: [{name: a, request: GET x, expect: {body: 1}}]", "without a status"),
        (
            HEAD + "cases: [{name: a, request: GET x, expect: {status: 200, body: 1, text: b}}]",
            "only one of body, text",
        ),
        (HEAD + "cases: [{name: a, request: GET <nope>, expect: 200}]", "<nope> is unknown"),
        (HEAD + "cases: [{name: a, request: GET <time>, expect: 200}]", "<time> is unknown"),
        (HEAD + "cases: [{name: a, needs: luck, request: GET x, expect: 200}]", "needs 'luck'"),
        (HEAD + "cases: [{name: a, given: [Odd], request: GET x, expect: 200}]", "no state 'Odd'"),
        (
            HEAD + "cases: [{name: a, given: [1], request: GET x, expect: 200}]",
            "expected a mapping",
        ),
        (
            HEAD + "cases: [{name: a, table: [[b, c], [1]], request: GET x, expect: 200}]",
            "needs 2 columns",
        ),
        (
            HEAD + "cases: [&a {name: a, request: GET x, expect: 200}, *a]",
            "'some/a' is there twice",
        ),
    ],
)
def test_what_is_wrong_is_named(load, text, message):
    with pytest.raises(CaseError) as caught:
        load(text)
    assert message in str(caught.value)


def test_every_shipped_case_has_a_source_with_an_owner_or_a_standard():
    for case in load_cases():
        assert "/" in case.source, case.name
