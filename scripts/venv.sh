#!/bin/sh
# venv.sh PYTHON FOLDER PIP-ARGUMENTS...: a virtual environment with what pip is told to install.
set -eu
python=$1 folder=$2
shift 2
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "dockerkit needs Python 3.11 or newer; $python is $("$python" --version). Say make PYTHON=python3.12, for example." >&2
    exit 1
fi
[ -x "$folder/bin/pip" ] || "$python" -m venv "$folder" >/dev/null 2>&1 || {
    # Debian's python3 comes without ensurepip.
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "python3 -m venv does not work here: install your system's python3-venv package" >&2
        exit 1
    fi
    echo "installing python3-venv" >&2
    apt-get update -q >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends python3-venv >/dev/null
    "$python" -m venv --clear "$folder"
}
echo "installing into $folder" >&2
"$folder/bin/pip" install -q --disable-pip-version-check 'pip>=25.1' # the first that knows --group
"$folder/bin/pip" install -q --disable-pip-version-check "$@"
