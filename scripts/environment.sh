# Sourced by the other scripts: makes .venv when there is none, installs once per state of the requirements.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="$root/.venv"

find_python() {
  for name in python3 python3.14 python3.13 python3.12 python3.11 python; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$name"
      return
    fi
  done
  echo "durahost needs Python 3.11 or newer; none was found on the PATH." >&2
  return 1
}

# install NAME REQUIREMENT...: does nothing when NAME was installed from the same files before.
install() {
  local name="$1" stamp state python
  shift
  stamp="$venv/.installed-$name"
  state="$(cat "$root/pyproject.toml" "$root/function_app/requirements.txt" | cksum) $*"
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$state" ]; then
    return
  fi
  if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    python="$(find_python)"
    echo "Creating $venv with $("$python" --version) ..." >&2
    "$python" -m venv --clear "$venv"
  fi
  echo "Installing into $venv (once; later calls skip this) ..." >&2
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" >&2
  # pip compiles what it installs, but not what stays in its checkout; where PYTHONDONTWRITEBYTECODE is set, nobody would.
  "$venv/bin/python" -m compileall -q "$root/host" >&2
  echo "$state" >"$stamp"
}

install_dev() {
  # A pip of today needs half the time of the one that comes with Python 3.11.
  install pip --upgrade pip
  install dev -e "$root[dev]" -r "$root/function_app/requirements.txt"
}
