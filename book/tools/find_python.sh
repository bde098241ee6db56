#!/bin/sh
# Prints the Python that builds the book's environment, or one line on
# standard error that says what is missing.
#
#     sh book/tools/find_python.sh            # look along PATH
#     sh book/tools/find_python.sh python3.12 # take this one, or say why not
#
# A name found on PATH proves little: version managers put stand-ins there
# that fail until a version is chosen, and some systems ship a Python that
# cannot make environments. So each candidate is run before it is believed.
# 3.11 comes first because every tool of the book has been with it longest. On Linux
# torch usually brings the CUDA packages with it, hence twice the disk space.

need="Python 3.11 or newer, with its venv module"

works() {
    "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
        >/dev/null 2>&1
}

enough_disk() {
    "$1" -c 'import os, shutil, sys
offered = ("UV_FIND_LINKS", "PIP_FIND_LINKS", "UV_TORCH_BACKEND")
cuda = sys.platform == "linux" and not any(map(os.environ.get, offered))
need, free = 8 if cuda else 4, shutil.disk_usage(".").free / 1e9
if free < need:
    sys.exit(f"The book needs {need} GB of free disk space; here are {free:.1f} GB.")'
}

if [ -n "$1" ]; then
    if works "$1"; then
        enough_disk "$1" && command -v "$1"
        exit
    fi
    echo "PY=$1 does not run as $need." >&2
    exit 1
fi

IFS=:
for name in python3.11 python3.12 python3.13 python3 python; do
    for folder in $PATH; do
        candidate="${folder:-.}/$name"
        if [ -x "$candidate" ] && works "$candidate"; then
            enough_disk "$candidate" && echo "$candidate"
            exit
        fi
    done
done
echo "The book needs $need; none is on PATH (or name one: make PY=...)." >&2
exit 1
