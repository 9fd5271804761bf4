#!/usr/bin/env bash
# Prepares what a make target needs, and says in one line what is missing where it cannot.
#
#   tools/setup.sh run      libraries to run: demo
#   tools/setup.sh checks   and those of the checks and tests
#   tools/setup.sh tests    and the programs that tests drive: a browser, a database server, PDF readers
set -euo pipefail
cd "$(dirname "$0")/.."
purpose=${1:-run}

fail() {
  printf 'Error: %s\n' "$*" >&2
  exit 1
}

# -- packages of the system ------------------------------------------------------------------------------------------

administrator() {
  if [ "$(id -u)" = 0 ]; then
    env "$@"
  else
    sudo -n env "$@"
  fi
}

can_install() {
  command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
}

# install_packages REASON PACKAGE…: one line and the end where it is not possible.
install_packages() {
  local reason=$1 log
  shift
  can_install || fail "$reason Please install: sudo apt install $*"
  echo "Installing $* …"
  log=$(mktemp)
  if ! administrator DEBIAN_FRONTEND=noninteractive sh -c '
    apt-get -qq -o DPkg::Lock::Timeout=400 update
    exec apt-get -qq -y -o DPkg::Lock::Timeout=400 install --no-install-recommends "$@"' sh "$@" </dev/null >"$log" 2>&1
  then
    fail "$reason Installing $* failed: $(grep -m1 '^E:' "$log" || tail -n1 "$log") (all of it: $log)"
  fi
  rm -f "$log"
}

has_library() {
  "$python" -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$1" 2>/dev/null
}

install_pdf_libraries() {
  [ "$(uname)" = Linux ] || return 0
  local missing=()
  has_library libpango-1.0.so.0 || missing+=(libpango-1.0-0)
  has_library libpangoft2-1.0.so.0 || missing+=(libpangoft2-1.0-0)
  has_library libharfbuzz-subset.so.0 || missing+=(libharfbuzz-subset0)
  [ ${#missing[@]} = 0 ] || install_packages "PDFs need libraries of the system." "${missing[@]}"
}

install_test_programs() {
  local missing=()
  command -v chromium >/dev/null || missing+=(chromium)
  command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
  command -v pdftotext >/dev/null || missing+=(poppler-utils)
  command -v qpdf >/dev/null || missing+=(qpdf)
  [ -d /usr/share/fonts/truetype/dejavu ] || missing+=(fonts-dejavu)
  compgen -G '/usr/share/fonts/truetype/noto/NotoColorEmoji*' >/dev/null || missing+=(fonts-noto-color-emoji)
  [ ${#missing[@]} = 0 ] || install_packages "The tests need some programs." "${missing[@]}"
}

# -- Python and its libraries ----------------------------------------------------------------------------------------

find_python() {
  local name
  for name in ${PYTHON:-python3 python3.11 python3.12 python3.13 python3.14}; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$name"
      return
    fi
  done
  fail "Python 3.11 or newer is needed. Please install: sudo apt install python3 python3-venv"
}

make_venv() {
  local system_python
  system_python=$(find_python)
  "$system_python" -c 'import ensurepip, venv' 2>/dev/null \
    || install_packages "Python's venv module is missing." python3-venv
  echo "Making .venv …"
  rm -rf .venv
  "$system_python" -m venv .venv 2>/dev/null || fail "$PWD/.venv could not be made with $system_python -m venv."
}

# install_libraries STAMP LIST…: installs the last list, unless that was done; the others are those that it includes.
install_libraries() {
  local stamp=.venv/$1 sum log=.venv/install.log list=${*: -1}
  shift
  sum=$(cat "$@" | sha256sum)
  [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ] && "$python" -c '' 2>/dev/null && return
  [ -w . ] || fail "The folder $PWD is read-only; its .venv with the libraries cannot be made there."
  "$python" -m pip --version >/dev/null 2>&1 || make_venv
  echo "Installing the libraries of $list …"
  "$python" -m pip --disable-pip-version-check --no-input install --quiet -r "$list" </dev/null >"$log" 2>&1 \
    || fail "The libraries could not be installed: $(grep -m1 -i error "$log" || tail -n1 "$log") (all of it: $log)"
  echo "$sum" >"$stamp"
}

python=.venv/bin/python
case $purpose in
  run)
    install_libraries requirements.installed requirements.txt
    install_pdf_libraries
    ;;
  checks | tests)
    install_libraries requirements.installed requirements.txt
    install_libraries requirements-dev.installed requirements.txt requirements-dev.txt
    install_pdf_libraries
    if [ "$purpose" = tests ]; then install_test_programs; fi
    ;;
  *) fail "Say what for: tools/setup.sh run, checks or tests." ;;
esac
