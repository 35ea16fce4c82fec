"""What most people get wrong about the Functions host: each fact, and the test that proves it here.

Two of them are better here on purpose: no host.json is written for an app that has none, and wrong
usage of the command line is exit code 2.
"""

import pytest
from facts import Fact, assert_test_exists

FACTS = [
    Fact("a wrong method is 404", "unit/functions/test_routing.py", "test_a_wrong_method_falls_through"),
    Fact("a wrong method is 404 for a client", "e2e/test_decorator_apps.py", "test_routes_are_those_of_the_decorators"),
    Fact("overlapping routes go by function name", "unit/functions/test_routing.py", "test_the_alphabet_decides_not_specificity"),
    Fact('"disabled" in function.json is ignored', "unit/functions/test_discovery.py", "test_disabled_functions_are_listed"),
    Fact('"disabled" in function.json is told', "unit/functions/test_function_checks.py", "test_disabled_in_the_file"),
    Fact("binding names with underscores", "unit/functions/test_function_json.py", "test_valid_binding_names"),
    Fact("binding names with hyphens", "unit/functions/test_function_json.py", "test_faults"),
    Fact("function names with both", "unit/functions/test_function_json.py", "test_valid_names"),
    Fact("routes beginning with admin or runtime", "unit/functions/test_discovery.py", "test_reserved_routes"),
    Fact("None with an http $return fails", "unit/worker/test_worker_facts.py", "test_what_is_no_response_fails_an_http_function"),
    Fact("None without an http output is fine", "unit/worker/test_worker_facts.py", "test_without_an_http_output_none_is_fine"),
    Fact("None without an http output is 204", "unit/http/test_function_responses.py", "test_which_output_is_the_response"),
    Fact("text is read as JSON", "unit/http/test_function_responses.py", "test_returned_text_is_sniffed"),
    Fact("text stays text/plain", "unit/http/test_function_responses.py", "test_headers_of_a_sniffed_response"),
    Fact("chunked bodies arrive empty", "unit/http/test_front.py", "test_a_chunked_body_arrives_empty_with_a_hint"),
    Fact("empty query values are absent", "unit/http/test_request_parsing.py", "test_function_queries"),
    Fact("401 and 404 have no body", "contract/test_authorization.py", "test_functions"),
    Fact("500 has no body", "unit/http/test_front.py", "test_failures_are_an_empty_500"),
    Fact("locally everybody is Admin", "contract/test_authorization.py", "test_without_the_flag_nothing_is_asked_for"),
    Fact("a disabled function runs for Admin", "contract/test_authorization.py", "test_a_disabled_function_without_the_flag"),
    Fact("settings without IsEncrypted are encrypted", "unit/config/test_app_settings.py", "test_encrypted_values_are_refused"),
    Fact("the environment beats Values", "unit/config/test_app_settings.py", "test_the_process_environment_wins"),
    Fact("it listens on 127.0.0.1", "e2e/test_default_app.py", "test_it_listens_on_loopback_alone"),
    Fact("an edited .py is served without watchFiles", "e2e/test_reload.py", "test_an_edit_is_served_and_no_request_is_refused_meanwhile"),
    Fact("an app without host.json", "e2e/test_start_and_stop.py", "test_no_host_json_up_the_tree_is_exit_1_with_a_hint"),
    Fact("exit codes of wrong usage", "e2e/test_start_and_stop.py", "test_usage"),
]  # fmt: skip


@pytest.mark.feature("Functions host", "What most people get wrong about the host")
@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.row)
def test_a_fact_has_its_test(fact):
    assert_test_exists(fact)
