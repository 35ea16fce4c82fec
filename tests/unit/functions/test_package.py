"""The zip that Azure deploys."""

import zipfile

import pytest

from durahost.functions.package import write_package
from durahost.model.errors import ConfigError

pytestmark = pytest.mark.feature("Functions host", "Packing for deployment (`durahost pack`)")


def pack(folder, target=None):
    app = folder.load()
    return write_package(app, target or folder.root.parent / f"{folder.root.name}.zip")


def test_the_classic_layout_moves_to_the_root(folder):
    folder.function("function_app/Hello")
    folder.write("function_app/requirements.txt", "azure-functions\n")
    folder.write("function_app/shared/x.py")
    folder.write("function_app/host.json", "not this one")
    folder.write("function_app/Hello/__pycache__/x.pyc")
    folder.write("pyproject.toml")
    folder.write("local.settings.json", '{"IsEncrypted": false}')
    summary = pack(folder)
    assert summary.files == [
        "Hello/__init__.py",
        "Hello/function.json",
        "host.json",
        "requirements.txt",
        "shared/x.py",
    ]
    with zipfile.ZipFile(summary.path) as package:
        assert package.namelist() == summary.files
        assert b"2.0" in package.read("host.json")
        assert package.testzip() is None
    assert summary.size_bytes == summary.path.stat().st_size


def test_another_layout_goes_in_whole_but_for_what_never_does(folder):
    folder.function("Hello")
    folder.function("Tests")
    for path in (
        "data/x.json", "sub/tests/kept.py", ".durahost/hub.db", ".venv/bin/python", ".git/HEAD",
        "tests/test_x.py", "env/pyvenv.cfg", "env/lib/x.py", "Hello/__pycache__/x.pyc",
        ".python_packages/lib/site-packages/y.py",
    ):  # fmt: skip
        folder.write(path)
    folder.write("local.settings.json", '{"IsEncrypted": false}')
    assert pack(folder).files == [
        ".python_packages/lib/site-packages/y.py",
        "Hello/__init__.py",
        "Hello/function.json",
        "Tests/__init__.py",
        "Tests/function.json",
        "data/x.json",
        "host.json",
        "sub/tests/kept.py",
    ]


def test_a_function_may_be_called_tests(folder):
    folder.function("tests")
    assert "tests/function.json" in pack(folder).files


def test_funcignore_of_the_root(folder):
    folder.function("Hello")
    for path in ("a.md", "docs/a.md", "keep.md", "build/x", "sub/build/x", "host.txt"):
        folder.write(path)
    folder.write(".funcignore", "# notes\n*.md\n!keep.md\n/build/\n")
    entries = pack(folder).files
    assert entries == [
        "Hello/__init__.py", "Hello/function.json", "host.json", "host.txt", "keep.md",
        "sub/build/x",
    ]  # fmt: skip


def test_funcignore_in_the_classic_layout(folder):
    folder.function("function_app/Hello")
    folder.write("function_app/a.md")
    folder.write("function_app/b.txt")
    folder.write("function_app/c.txt")
    folder.write(".funcignore", "/function_app/b.txt\n/c.txt\n")
    folder.write("function_app/.funcignore", "*.md\n")
    assert pack(folder).files == [
        "Hello/__init__.py",
        "Hello/function.json",
        "c.txt",
        "host.json",
    ]


def test_the_same_files_give_the_same_bytes(folder):
    folder.function("Hello")
    first = pack(folder).path.read_bytes()
    (folder.root / "Hello" / "__init__.py").touch()
    assert pack(folder).path.read_bytes() == first


def test_the_package_does_not_hold_itself(folder):
    folder.function("Hello")
    target = folder.root / "app.zip"
    first = pack(folder, target)
    second = pack(folder, target)
    assert first.files == second.files
    assert sorted(one.name for one in folder.root.iterdir()) == ["Hello", "app.zip", "host.json"]


def test_a_target_that_cannot_be_written(folder):
    folder.function("Hello")
    with pytest.raises(ConfigError, match="Cannot write the package"):
        pack(folder, folder.root / "host.json" / "app.zip")


def test_an_unpacked_package_is_the_same_app(folder, tmp_path):
    from durahost.config.load import load_app
    from durahost.functions.discovery import discover

    folder.function("function_app/Hello")
    empty = tmp_path / "empty"
    with zipfile.ZipFile(pack(folder).path) as package:
        package.extractall(empty)
    found = discover(load_app(empty, empty, {}))
    assert [one.name for one in found.functions] == ["Hello"]
