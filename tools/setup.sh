#!/usr/bin/env bash
# Prepares what a make target needs, and says in one line what is missing where it cannot.
#
#   tools/setup.sh run      libraries to run: demo
#   tools/setup.sh checks   and those of the checks and tests
#   tools/setup.sh audit    libraries to run, and the tools that ask about them: audit, sbom
#   tools/setup.sh production  those of the checks, a database server and nginx: smoke-production
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
  # Nothing that is there is removed, and a mail server of our tests does not become that of the machine.
  if ! administrator DEBIAN_FRONTEND=noninteractive sh -c '
    apt-get -qq -o DPkg::Lock::Timeout=400 update
    case " $* " in *" postfix "*) echo postfix postfix/main_mailer_type select No configuration | debconf-set-selections ;; esac
    exec apt-get -qq -y --no-remove -o DPkg::Lock::Timeout=400 install --no-install-recommends "$@"' sh "$@" </dev/null >"$log" 2>&1
  then
    fail "$reason Installing $* failed: $(grep -m1 '^E:' "$log" || tail -n1 "$log") (all of it: $log)"
  fi
  rm -f "$log"
}

# collect_… adds to these what is missing, so that one line can name it all and one run of apt installs it.
packages=()
reasons=()

collect_venv() {
  works_venv || "$1" -c 'import ensurepip, venv' 2>/dev/null && return
  packages+=(python3-venv)
  reasons+=("Python's venv module is missing.")
}

has_library() {
  "$1" -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$2" 2>/dev/null
}

collect_pdf_libraries() {
  [ "$(uname)" = Linux ] || return 0
  local before=${#packages[@]}
  has_library "$1" libpango-1.0.so.0 || packages+=(libpango-1.0-0)
  has_library "$1" libpangoft2-1.0.so.0 || packages+=(libpangoft2-1.0-0)
  has_library "$1" libharfbuzz-subset.so.0 || packages+=(libharfbuzz-subset0)
  [ ${#packages[@]} = "$before" ] || reasons+=("PDFs need libraries of the system.")
}

collect_test_programs() {
  local before=${#packages[@]}
  command -v chromium >/dev/null || packages+=(chromium)
  command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || packages+=(postgresql)
  command -v pdftotext >/dev/null || packages+=(poppler-utils)
  command -v qpdf >/dev/null || packages+=(qpdf)
  PATH=$PATH:/usr/sbin command -v nginx >/dev/null || packages+=(nginx-light)
  command -v openssl >/dev/null || packages+=(openssl)
  PATH=$PATH:/usr/sbin command -v dovecot >/dev/null || packages+=(dovecot-imapd)
  PATH=$PATH:/usr/sbin command -v postfix >/dev/null || packages+=(postfix)
  [ -d /usr/share/fonts/truetype/dejavu ] || packages+=(fonts-dejavu)
  compgen -G '/usr/share/fonts/truetype/noto/NotoColorEmoji*' >/dev/null || packages+=(fonts-noto-color-emoji)
  [ ${#packages[@]} = "$before" ] || reasons+=("The tests need some programs.")
}

collect_servers() {
  local before=${#packages[@]}
  command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || packages+=(postgresql)
  PATH="$PATH:/usr/sbin" command -v nginx >/dev/null || packages+=(nginx-light)
  command -v openssl >/dev/null || packages+=(openssl)
  [ ${#packages[@]} = "$before" ] || reasons+=("Running as in production needs some servers.")
}

install_collected() {
  [ ${#packages[@]} = 0 ] || install_packages "${reasons[*]}" "${packages[@]}"
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

works_venv() {
  "$python" -c 'import pip' 2>/dev/null
}

make_venv() {
  echo "Making .venv …"
  rm -rf .venv 2>/dev/null || true
  "$1" -m venv .venv >/dev/null 2>&1 || fail "$PWD/.venv could not be made with $1 -m venv."
}

is_installed() {
  [ "$(cat ".venv/$1" 2>/dev/null)" = "$2" ] && "$python" -c '' 2>/dev/null
}

# install_libraries STAMP LIST…: installs the last list, unless that was done; the others are those that it includes.
install_libraries() {
  local stamp=$1 sum log=.venv/install.log list=${*: -1}
  shift
  sum=$(cat "$@" | sha256sum)
  is_installed "$stamp" "$sum" && return
  works_venv || make_venv "$system_python"
  [ -w .venv ] || fail "The folder $PWD/.venv is read-only (made by somebody else?); libraries cannot be installed there."
  echo "Installing the libraries of $list …"
  "$python" -m pip --disable-pip-version-check --no-input install --quiet --require-hashes -r "$list" </dev/null >"$log" 2>&1 \
    || fail "The libraries could not be installed: $(grep -m1 -i error "$log" || tail -n1 "$log") (all of it: $log)"
  echo "$sum" >".venv/$stamp"
}

# install_apart NAME LIST: a tool whose libraries do not agree with ours gets a folder of its own.
install_apart() {
  local folder=.venv/$1 list=$2 sum log=.venv/$1.log
  sum=$(sha256sum <"$list")
  [ "$(cat "$folder/installed" 2>/dev/null)" = "$sum" ] && "$folder/bin/python" -c '' 2>/dev/null && return
  echo "Installing $1 …"
  rm -rf "$folder"
  "$python" -m venv "$folder" >"$log" 2>&1 || fail "$PWD/$folder could not be made (all of it: $log)"
  "$folder/bin/python" -m pip --disable-pip-version-check --no-input install --quiet --require-hashes -r "$list" </dev/null >"$log" 2>&1 \
    || fail "$1 could not be installed: $(grep -m1 -i error "$log" || tail -n1 "$log") (all of it: $log)"
  echo "$sum" >"$folder/installed"
}

case $purpose in
  run | checks | tests | production | audit) ;;
  *) fail "Say what for: tools/setup.sh run, checks, tests, production or audit." ;;
esac
python=.venv/bin/python
system_python=$(works_venv && echo "$python" || find_python)
[ -x "$python" ] || [ -w . ] || fail "The folder $PWD is read-only; its .venv with the libraries cannot be made there."
collect_venv "$system_python"
collect_pdf_libraries "$system_python"
[ "$purpose" != tests ] || collect_test_programs
[ "$purpose" != production ] || collect_servers
install_collected
install_libraries requirements.installed requirements.txt
if [ "$purpose" = audit ]; then
  install_apart audit tools/audit/requirements.txt
  exit
fi
[ "$purpose" = run ] || install_libraries requirements-dev.installed requirements.txt requirements-dev.txt
[ "$purpose" = run ] || install_apart semgrep tools/semgrep/requirements.txt
# A real sign-in service that tests ask; its commands for flask would hide ours.
[ "$purpose" = run ] || [ "$purpose" = production ] || install_apart sign-in-service tools/sign_in_service/requirements.txt
