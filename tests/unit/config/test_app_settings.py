"""local.settings.json and the environment, merged as Core Tools does."""

import json
from pathlib import Path

import pytest

from durahost.config.app_settings import build_app_settings, read_local_settings
from durahost.model.errors import ConfigError

pytestmark = pytest.mark.feature("Functions host", "`local.settings.json`")


ROOT = Path("/app")


def merge(tmp_path, document, environ=None, port=None):
    text = document if isinstance(document, str) else json.dumps(document)
    (tmp_path / "local.settings.json").write_text(text)
    local = read_local_settings(tmp_path)
    return build_app_settings(local, environ or {}, script_root=ROOT, port=port)


def plain(**values):
    return {"IsEncrypted": False, "Values": values}


def test_without_a_file_the_program_sets_its_own(tmp_path):
    local = read_local_settings(tmp_path)
    settings = build_app_settings(local, {"PATH": "/bin"}, script_root=ROOT, port=None)
    assert settings.values == {
        "PATH": "/bin",
        "WEBSITE_HOSTNAME": "localhost:7071",
        "AzureWebJobsScriptRoot": "/app",
        "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "FUNCTIONS_CORETOOLS_ENVIRONMENT": "true",
        "PYTHON_ENABLE_DEBUG_LOGGING": "1",
    }
    assert settings.warnings == ()
    assert settings.skipped == ()


def test_the_process_environment_wins(tmp_path):
    settings = merge(tmp_path, plain(A="file", B="file", C=""), {"A": "env", "B": ""})
    assert settings.values["A"] == "env"
    assert settings.values["B"] == "file"
    assert settings.values["C"] == ""
    assert settings.skipped == ("A",)


def test_host_gives_port_and_address(tmp_path):
    document = {"Host": {"LocalHttpPort": 7100, "localhttpaddress": "0.0.0.0"}}
    settings = merge(tmp_path, document)
    assert (settings.port, settings.address) == (7100, "0.0.0.0")
    assert settings.values["WEBSITE_HOSTNAME"] == "localhost:7100"
    assert merge(tmp_path, document, port=9).values["WEBSITE_HOSTNAME"] == "localhost:9"


def test_connection_strings(tmp_path):
    strings = {"One": "c1", "Two": {"ConnectionString": "c2", "ProviderName": "x"}}
    settings = merge(tmp_path, {"IsEncrypted": False, "ConnectionStrings": strings})
    assert settings.values["ConnectionStrings:One"] == "c1"
    assert settings.values["ConnectionStrings:Two"] == "c2"


def test_values_become_text_as_in_dotnet(tmp_path):
    settings = merge(tmp_path, '{"IsEncrypted": false, "Values": {"a": true, "b": 1.50, "c": 7}}')
    assert [settings.values[name] for name in "abc"] == ["True", "1.5", "7"]


def test_a_text_like_a_date_is_rewritten_and_reported(tmp_path):
    settings = merge(tmp_path, plain(When="2024-01-01T10:00:00Z", Day="2024-01-01"))
    assert settings.values["When"] == "01/01/2024 10:00:00"
    assert settings.values["Day"] == "2024-01-01"
    assert "Values.When is '01/01/2024 10:00:00'" in settings.warnings[0]


@pytest.mark.parametrize(
    ("values", "environ", "warning"),
    [
        ({"A": None}, {}, "Skipping 'A' because value is null"),
        ({"": "x"}, {}, "Skipping local setting with empty key."),
        (
            {"AZURE_FUNCTIONS_ENVIRONMENT": "Test"},
            {},
            "AZURE_FUNCTIONS_ENVIRONMENT already exists with value 'Test', overriding to "
            "'Development'.",
        ),
        (
            {"CONTAINER_NAME": "c"},
            {},
            "CONTAINER_NAME is a reserved environment variable for the Functions Host. Please "
            "remove or rename this setting.",
        ),
    ],
)
def test_warnings(tmp_path, values, environ, warning):
    assert merge(tmp_path, plain(**values), environ).warnings == (warning,)


def test_the_environment_of_the_process_stays(tmp_path):
    environ = {"AZURE_FUNCTIONS_ENVIRONMENT": "Staging"}
    settings = merge(tmp_path, plain(), environ)
    assert settings.values["AZURE_FUNCTIONS_ENVIRONMENT"] == "Staging"
    assert settings.skipped == ("AZURE_FUNCTIONS_ENVIRONMENT",)


@pytest.mark.parametrize(
    "text",
    [
        '{"IsEncrypted": false, "Values": {"a": "1"',
        '{"IsEncrypted": false, "Values": {"a": {"b": 1}, "c": "1"}}',
        '{"IsEncrypted": false, "Values": ["a"]}',
        '{"IsEncrypted": "maybe", "Values": {"a": "1"}}',
        '{"IsEncrypted": false, "Values": {"a": "1"}, "Host": {"LocalHttpPort": "many"}}',
    ],
)
def test_a_malformed_file_counts_as_empty(tmp_path, text):
    settings = merge(tmp_path, text)
    assert "a" not in settings.values
    path = tmp_path / "local.settings.json"
    start = f"Failed to read app settings file at '{path}'. Ensure it is a valid JSON file. "
    assert settings.warnings[0].startswith(start)


@pytest.mark.parametrize(
    "document", [{"Values": {"a": "1"}}, {"IsEncrypted": True, "Values": {"a": "1"}}]
)
def test_encrypted_values_are_refused(tmp_path, document):
    with pytest.raises(ConfigError) as caught:
        merge(tmp_path, document)
    assert str(caught.value) == (
        "Failed to decrypt settings. Encrypted settings only be edited through 'func settings add'."
    )
    assert '"IsEncrypted": false' in caught.value.advice


@pytest.mark.parametrize("name", ["WEBSITE_HOSTNAME", "AzureWebJobsScriptRoot"])
def test_names_of_the_program_may_not_be_in_the_file(tmp_path, name):
    with pytest.raises(ConfigError, match=f"Key: {name}"):
        merge(tmp_path, plain(**{name: "x"}))


def test_cors(tmp_path):
    settings = merge(tmp_path, {"Host": {"CORS": "http://a,http://b", "corsCredentials": "True"}})
    assert (settings.cors, settings.has_cors_credentials) == ("http://a,http://b", True)
    assert settings.warnings == ()
    settings = merge(tmp_path, {"Host": {}})
    assert (settings.cors, settings.has_cors_credentials) == (None, False)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"IsEncrypted": "maybe"}, "IsEncrypted must be true or false, not 'maybe'."),
        ({"Host": {"LocalHttpPort": "x"}}, "Host.LocalHttpPort must be a whole number, not 'x'."),
        ({"Host": {"CORSCredentials": 3.5, "CORS": []}}, "Host.CORS must be a string,"),
        ({"Host": {"CORSCredentials": "so"}}, "Host.CORSCredentials must be true or false,"),
        ({"Host": []}, "Host must be an object."),
        ({"ConnectionStrings": {"a": []}}, "ConnectionStrings.a must be a string,"),
        ({"Values": {"a": []}}, "Values.a must be a string, not an object or an array."),
    ],
)
def test_a_value_of_a_wrong_type_is_named(tmp_path, document, reason):
    assert reason in merge(tmp_path, document).warnings[0]


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none(tmp_path, port):
    with pytest.raises(ConfigError, match=f"is {port}, which is no port") as caught:
        merge(tmp_path, {"Host": {"LocalHttpPort": port}})
    assert caught.value.file == "local.settings.json"


def test_encrypted_settings_say_how_to_decrypt_them(tmp_path):
    with pytest.raises(ConfigError) as caught:
        merge(tmp_path, {"IsEncrypted": True, "Values": {"a": "x"}})
    assert "func settings decrypt" in caught.value.advice
    assert caught.value.file == "local.settings.json"


@pytest.mark.parametrize(("count", "told"), [("0", 1), ("11", 1), ("x", 1), (" 10 ", 0), ("1", 0)])
def test_a_count_of_processes_that_cannot_be_used(tmp_path, count, told):
    warnings = merge(tmp_path, plain(FUNCTIONS_WORKER_PROCESS_COUNT=count)).warnings
    assert len(warnings) == told
    assert all("FUNCTIONS_WORKER_PROCESS_COUNT is" in one for one in warnings)


def test_a_key_vault_reference_stays_text_and_is_told(tmp_path):
    text = "@Microsoft.KeyVault(SecretUri=https://v/secrets/s)"
    (warning,) = merge(tmp_path, plain(A=text)).warnings
    assert warning.startswith("local.settings.json: A is a Key Vault reference")
    assert merge(tmp_path, plain(A=text), {"A": "secret"}).warnings == ()
