#!/bin/bash
# Makes files of results/ again from their grids: results/make.sh PROGRAM STORE NAME...
#
# Runs sweeps/NAME.json in STORE (what is done there is not done again) and writes results/NAME.md from
# results/about/NAME.md: what the table shows, the report, how it was made. A line `plot: KIND OPTIONS`
# there draws results/NAME.svg, another one results/NAME-KIND.svg, and a line `metric: METRIC TITLE` adds
# a table of another metric. DATA names a folder of datasets, as --data does. What could not be run is
# named, the others are made.
set -euo pipefail
program=$1 store=$2
shift 2
cd "$(dirname "$0")/.."

# The body of a report: without its title and without the grid.
body() { sed -e '1,2d' -e '/^## The grid$/,$d'; }

status=0
for name in "$@"; do
  about=results/about/$name.md grid=sweeps/$name.json
  [ -f "$about" ] || { echo "$about is missing: write what the table shows, and what it cannot." >&2; exit 1; }
  "$program" run "$grid" --store "$store" ${DATA:+--data "$DATA"} ${WORKERS:+--workers "$WORKERS"} >/dev/null || {
    echo "results/$name.md is not made again, because its sweep did not finish." >&2
    status=1
    continue
  }
  made=$(mktemp "results/.$name.XXXXXX")
  trap 'rm -f "$made"' EXIT
  {
    printf '# %s\n\n' "$name"
    grep -v -e '^plot: ' -e '^metric: ' "$about"
    first=$name
    sed -n 's/^plot: //p' "$about" | while read -r kind options; do
      figure=${first:-$name-$kind} first=
      # Options are words without blanks.
      # shellcheck disable=SC2086
      "$program" plot "$kind" $options "$name" --store "$store" --output "results/$figure.svg" >/dev/null
      printf '\n![%s of %s](%s.svg)\n' "$kind" "$name" "$figure"
    done
    printf '\n'
    "$program" report "$name" --store "$store" --format markdown | body
    sed -n 's/^metric: //p' "$about" | while read -r metric title; do
      printf '\n## %s\n\n`report --metric %s`:\n\n' "$title" "$metric"
      "$program" report "$name" --store "$store" --format markdown --metric "$metric" | body | sed -n '/^|/p'
    done
    seconds=$("$program" export "$name" --store "$store" --format csv |
      awk -F, '$(NF-1) == "measured.cpuSeconds" { sum += $NF } END { printf "%.2f", sum / 3600 }')
    spent="The students took $seconds CPU hours; their teachers come on top."
    if grep -q '"transfer"' "$grid"; then
      spent="The transfers took $seconds CPU hours; their students and teachers come on top."
    fi
    # Versions before measured students alone.
    [ "$seconds" != 0.00 ] || spent="What its transfers took is not among its numbers."
    printf '\n## How to make it again\n\n`make results ONLY=%s`. %s\n' "$name" "$spent"
    printf '\nsha256 of %s: `%s`\n\n```jsonc\n' "$grid" "$(sha256sum "$grid" | cut -d' ' -f1)"
    cat "$grid"
    printf '```\n'
  } > "$made"
  chmod 644 "$made"
  mv "$made" "results/$name.md"
  echo "results/$name.md"
done
exit $status
