"""What most people get wrong about the Functions host: each fact, and the test that proves it here.

Two of them are better here on purpose: no host.json is written for an app that has none, and wrong
usage of the command line is exit code 2.
"""

import pytest
from facts import assert_test_exists, facts

FACTS = facts(
    {
        "unit/functions/test_routing.py": [
            ("a wrong method is 404", "test_a_wrong_method_falls_through"),
            ("overlapping routes go by function name", "test_the_alphabet_decides_not_specificity"),
        ],
        "e2e/test_decorator_apps.py": [
            ("a wrong method is 404 for a client", "test_routes_are_those_of_the_decorators"),
        ],
        "unit/functions/test_discovery.py": [
            ('"disabled" in function.json is ignored', "test_disabled_functions_are_listed"),
            ("routes beginning with admin or runtime", "test_reserved_routes"),
        ],
        "unit/functions/test_function_checks.py": [
            ('"disabled" in function.json is told', "test_disabled_in_the_file"),
        ],
        "unit/functions/test_function_json.py": [
            ("binding names with underscores", "test_valid_binding_names"),
            ("binding names with hyphens", "test_faults"),
            ("function names with both", "test_valid_names"),
        ],
        "unit/worker/test_worker_facts.py": [
            ("None with an http $return fails", "test_what_is_no_response_fails_an_http_function"),
            ("None without an http output is fine", "test_without_an_http_output_none_is_fine"),
        ],
        "unit/http/test_function_responses.py": [
            ("None without an http output is 204", "test_which_output_is_the_response"),
            ("text is read as JSON", "test_returned_text_is_sniffed"),
            ("text stays text/plain", "test_headers_of_a_sniffed_response"),
        ],
        "unit/http/test_front.py": [
            ("chunked bodies arrive empty", "test_a_chunked_body_arrives_empty_with_a_hint"),
            ("500 has no body", "test_failures_are_an_empty_500"),
        ],
        "unit/http/test_request_parsing.py": [
            ("empty query values are absent", "test_function_queries"),
        ],
        "contract/test_authorization.py": [
            ("401 and 404 have no body", "test_functions"),
            ("locally everybody is Admin", "test_without_the_flag_nothing_is_asked_for"),
            ("a disabled function runs for Admin", "test_a_disabled_function_without_the_flag"),
        ],
        "unit/config/test_app_settings.py": [
            ("settings without IsEncrypted are encrypted", "test_encrypted_values_are_refused"),
            ("the environment beats Values", "test_the_process_environment_wins"),
        ],
        "e2e/test_default_app.py": [
            ("it listens on 127.0.0.1", "test_it_listens_on_loopback_alone"),
        ],
        "e2e/test_reload.py": [
            (
                "an edited .py is served without watchFiles",
                "test_an_edit_is_served_and_no_request_is_refused_meanwhile",
            ),
        ],
        "e2e/test_start_and_stop.py": [
            ("an app without host.json", "test_no_host_json_up_the_tree_is_exit_1_with_a_hint"),
            ("exit codes of wrong usage", "test_usage"),
        ],
    }
)


@pytest.mark.feature("Functions host", "What most people get wrong about the host")
@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.row)
def test_a_fact_has_its_test(fact):
    assert_test_exists(fact)
