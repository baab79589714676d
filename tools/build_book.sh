#!/bin/sh
# Build the book, or say in one line what is wrong. Called by the Makefile, in the repository's root; $1 is its stamp.
# -W: a warning is an error; -n: so is a reference that leads nowhere; --keep-going: all of them are shown.
set -u
stamp=$1
log=_build/warnings.log

die() {
    echo "emvae: $*" >&2
    exit 1
}

# Sphinx reports a page's warnings only when it reads the page. After a build that failed or was interrupted,
# all pages are read again; after a complete one, those that changed.
[ -f "$stamp" ] || rm -rf _build/.doctrees
rm -f "$stamp"
full="the disk is full: free 200 MB in $PWD, then run make again"
mkdir -p _build && { echo >$log; } 2>/dev/null && [ -s $log ] || die "$full"

# NO_COLOR: what goes to a log is plain text.
if NO_COLOR=1 .venv/bin/jupyter-book build . -W -n --keep-going --quiet 2>$log >_build/output.log; then
    cat $log >&2
    touch "$stamp"
else
    cat $log >&2
    case $(cat $log; df -Pk _build | awk 'NR == 2 && $4 < 1024 { print "No space left" }') in
    *"No space left"* | *"Disk quota exceeded"*) die "$full" ;;
    esac
    die "the book was not built: mend what the lines above say, then run make again"
fi
