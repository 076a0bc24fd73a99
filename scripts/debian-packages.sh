#!/bin/sh
# The Debian packages that some tests need: installed when we may, named when we may not (those tests then skip by name).
set -u

missing=""
need() { # need PACKAGE FILE...: the package is there when one of the files is
    package=$1
    shift
    for file in "$@"; do
        for match in $file; do
            [ -e "$match" ] && return
        done
    done
    missing="$missing $package"
}

need postgresql "/usr/lib/postgresql/*/bin/initdb"
need chromium /usr/bin/chromium
need libatomic1 "/usr/lib/*/libatomic.so.1" "/lib/*/libatomic.so.1" # the driver of the browser tests is linked with it
need poppler-utils /usr/bin/pdftoppm
need fonts-dejavu-core "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"

[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Debian packages for the tests:$missing"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    if (apt-get update && apt-get install --yes --no-install-recommends $missing) >/tmp/holdfast-apt.log 2>&1; then
        exit 0
    fi
    tail -n 3 /tmp/holdfast-apt.log
fi
echo "Some tests will be skipped by name. To run them too: apt-get install$missing"
exit 0
