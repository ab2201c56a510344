#!/bin/bash
# Packs what somebody without Swift needs: docs/tools/dist.sh PROGRAM FOLDER
#
# Writes FOLDER/mtkd-sweep-VERSION-linux-MACHINE.tar.gz: the program with Swift's own libraries linked in,
# manual page, completions, grids, and the licences of everything that is linked in. Its `install.sh` says
# which libraries are missing.
set -euo pipefail
program=$(realpath "$1")
folder=$(realpath -m "$2")
cd "$(dirname "$0")/../.."
version=$("$program" --version)
name=mtkd-sweep-$version-linux-$(uname -m)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/$name
mkdir -p "$root"/{bin,share/man/man1,share/bash-completion/completions,share/zsh/site-functions} \
  "$root"/share/fish/vendor_completions.d "$root"/licences "$folder"
install -m 755 "$program" "$root/bin/mtkd-sweep"
[ ! -f "$program.commit" ] || install -m 644 "$program.commit" "$root/bin/mtkd-sweep.commit"
"$program" manual > "$root/share/man/man1/mtkd-sweep.1"
"$program" --generate-completion-script bash > "$root/share/bash-completion/completions/mtkd-sweep"
"$program" --generate-completion-script zsh > "$root/share/zsh/site-functions/_mtkd-sweep"
"$program" --generate-completion-script fish > "$root/share/fish/vendor_completions.d/mtkd-sweep.fish"
cp -r sweeps "$root/sweeps"
mkdir -p "$root/share/mtkd-sweep/Python"
cp -r Python/mtkd_torch Python/mtkd_trainer "$root/share/mtkd-sweep/Python/"
cp LICENSE README.md CHANGELOG.md "$root"

# What is linked into the program, each with its own terms. The Swift runtime and Foundation are under the
# Apache License 2.0 with the Runtime Library Exception; a toolchain brings the text along.
for checkout in .build/checkouts/*/; do
  package=$(basename "$checkout")
  for file in "$checkout"LICENSE* "$checkout"NOTICE*; do
    [ ! -f "$file" ] || cp "$file" "$root/licences/$package-$(basename "${file%.txt}")"
  done
done
for package in libopenblas-dev libzstd-dev; do
  text=/usr/share/doc/$package/copyright
  [ ! -f "$text" ] || cp "$text" "$root/licences/$package-copyright"
done
swift=$(command -v swift || true)
if [ -n "$swift" ]; then
  text=$(dirname "$(dirname "$(realpath "$swift")")")/share/swift/LICENSE.txt
  [ ! -f "$text" ] || cp "$text" "$root/licences/swift-LICENSE"
fi

# The libraries that a system must have, and Debian's packages that have them.
ldd "$program" | awk '/=>/ { print $1 }' | sort > "$root/libraries.txt"
packages=$(sed -n -e 's/^libopenblas\..*/libopenblas0/p' -e 's/^libsqlite3\..*/libsqlite3-0/p' \
  -e 's/^libzstd\..*/libzstd1/p' -e 's/^libnettle\..*/libnettle8/p' -e 's/^libz\..*/zlib1g/p' \
  -e 's/^libjpeg\..*/libjpeg62-turbo/p' -e 's/^libpng16\..*/libpng16-16/p' "$root/libraries.txt" | tr '\n' ' ')
cat > "$root/install.sh" <<'SCRIPT'
#!/bin/sh
# Puts the program, its manual page and its completions below a prefix (default: /usr/local):
#     ./install.sh [PREFIX]
set -eu
cd "$(dirname "$0")"
prefix=${1:-/usr/local}
missing=$(ldd bin/mtkd-sweep | awk '/not found/ { print $1 }')
if [ -n "$missing" ]; then
  echo "These libraries are missing:" $missing
  echo "On Debian: apt-get install @PACKAGES@"
  exit 1
fi
mkdir -p "$prefix/bin"
cp bin/* "$prefix/bin"
mkdir -p "$prefix/share"
cp -r share/* "$prefix/share"
echo "$prefix/bin/mtkd-sweep $("$prefix/bin/mtkd-sweep" --version)"
SCRIPT
sed -i "s/@PACKAGES@/${packages% }/" "$root/install.sh"
chmod 755 "$root/install.sh"
tar --sort=name --owner=0 --group=0 --numeric-owner -C "$work" -czf "$folder/$name.tar.gz" "$name"
echo "$folder/$name.tar.gz"
