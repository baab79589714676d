#!/bin/sh
# Build the book, or say in one line what is wrong. Called by the Makefile, in the repository's root; $1 is its stamp.
# -W: a warning is an error; -n: so is a reference that leads nowhere; --keep-going: all of them are shown.
set -u
stamp=$1
log=_build/warnings.log
full="the disk is full: free 200 MB in $PWD, then run make again"

die() {
    echo "emvae: $*" >&2
    exit 1
}

show_log() {
    sed "s/$(printf '\033')\[[0-9;]*m//g" $log >&2    # without the colour codes
}

# All pages are read anew: Sphinx reports a page's warnings only when it reads the page, and takes an equation
# that moved to another page for a double one. The Makefile calls only when a source has changed.
rm -rf "$stamp" _build/.doctrees _build/html
mkdir -p _build 2>/dev/null && { echo >$log; } 2>/dev/null && [ -s $log ] || die "$full"

if .venv/bin/jupyter-book build . -W -n --keep-going --quiet 2>$log >_build/output.log; then
    show_log
    touch "$stamp"
    exit
fi
case $(cat $log; df -Pk _build | awk 'NR == 2 && $4 < 1024 { print "No space left" }') in
*"No space left"* | *"Disk quota exceeded"*) die "$full" ;;
esac
show_log
die "the book was not built: mend what the lines above say, then run make book again"
