#!/bin/sh
# Make .venv complete, or say in one line what is missing. Called by the Makefile, in the repository's root.
#
# The stamp is written last, so whatever interrupts an install, the next call sees it and starts over;
# with a stamp (pyproject.toml or constraints.txt changed since), the packages are brought up to date in place.
set -u
stamp=.venv/.complete
need_mb=2000    # measured: 1.7 GB, with torch's build for the CPU

die() {
    echo "emvae: $*" >&2
    exit 1
}

free_mb() {
    df -Pk "$1" 2>/dev/null | awk 'NR == 2 { print int($4 / 1024) }'
}

usable() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null
}

# --- a Python from 3.11 to 3.14 (for 3.15 the locked torch does not exist)
python=
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14}; do
    if usable "$candidate"; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    found=$("${PYTHON:-python3}" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) &&
        die "Python 3.11 to 3.14 is needed, ${PYTHON:-python3} is $found: install one, then run make again, or name it (make PYTHON=/path/to/python3.12)"
    die "no ${PYTHON:-python3} was found: install Python 3.11 to 3.14, then run make again, or name it (make PYTHON=/path/to/python3.12)"
fi

# --- on Linux the package index's own torch brings CUDA: 2.7 GB to download and 4.7 GB on the disk (torch 2.13), in
# place of 0.2 and 0.8; TORCH=cpu asks for the small one
hint=
if [ "$("$python" -c 'import sys; print(sys.platform)' 2>/dev/null)" = linux ] && [ "${TORCH:-}" != cpu ]; then
    need_mb=6000 hint=" (2000 for the CPU alone: make TORCH=cpu)"
fi

# --- a fresh environment, unless a complete one only needs an update
if [ "$(cat $stamp 2>/dev/null)" != "$PWD" ] || ! usable .venv/bin/python; then
    rm -rf .venv
    mb=$(free_mb .)
    [ "${mb:-$need_mb}" -ge "$need_mb" ] ||
        die "the disk is too full: $mb MB are free in $PWD and $need_mb MB are needed$hint; free some, then run make again"
    said=$("$python" -m venv .venv 2>&1) || {
        rm -rf .venv
        case $said in
        *"No space left"*) die "the disk is full: free $need_mb MB in $PWD, then run make again" ;;
        *ensurepip*) die "$python has no venv module: install it (on Debian and Ubuntu: apt install python3-venv), then run make again" ;;
        *) die "$python -m venv failed: $said" ;;
        esac
    }
fi
rm -f $stamp

# --- the packages, as locked; constraints.txt also holds what builds emvae itself
echo "Installing the locked packages into .venv (once; 1 to 5 minutes, up to $need_mb MB$hint) ..."
export PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_USER=0 PIP_NO_INPUT=1
install() {
    if [ "${TORCH:-}" = cpu ]; then     # uv knows where torch's builds are
        .venv/bin/python -m pip install --quiet --retries 2 uv || return
        .venv/bin/python -m uv pip install --quiet --python .venv/bin/python --torch-backend=cpu \
            --constraint constraints.txt torch || return
    fi
    .venv/bin/python -m pip install --quiet --retries 2 --editable '.[dev]'
}
said=$(install 2>&1) || {
    case $said in
    *"No space left"* | *"Disk quota exceeded"*)
        die "the disk is full: free $need_mb MB in $PWD and 1000 MB in ${TMPDIR:-/tmp}, then run make again" ;;
    *Retrying* | *"Failed to fetch"* | *ConnectionError* | *ConnectTimeout* | *ReadTimeout* | *"name resolution"* | *ProxyError*)
        die "no network: the packages could not be downloaded; connect (or set PIP_INDEX_URL or HTTPS_PROXY as your site needs), then run make again" ;;
    *)
        printf '%s\n' "$said" | tail -n 15 >&2
        die "pip could not install the packages of constraints.txt; the lines above say why" ;;
    esac
}

# --- matplotlib's font list now, or its first use would write about it into a notebook's output
.venv/bin/python -c 'import matplotlib.font_manager' 2>/dev/null
{ printf '%s\n' "$PWD" >$stamp; } 2>/dev/null && [ -s $stamp ] ||
    die "the disk is full: free some in $PWD, then run make again"
echo "Installed."
