#!/bin/bash
# Writes the tables, figures and archives of the study from its store: results/study/make.sh PROGRAM STORE
#
# Nothing is run: docs/study.md says how the store is made. results/study/README.md is written by hand around them.
set -euo pipefail
program=$(realpath "$1") store=$(realpath "$2")
cd "$(dirname "$0")"

for name in study-fashion study-useless; do
  "$program" report "$name" --store "$store" > "$name.txt"
  rm -f "$name.mtkd"
  "$program" archive "$name" --store "$store" --without-checkpoints -o "$name.mtkd" > /dev/null
done
"$program" report study-fashion --store "$store" --format html -o study-fashion.html
"$program" plot forest study-fashion --store "$store" --output forest.svg > /dev/null
"$program" plot weights study-useless --store "$store" --output weights.svg > /dev/null
mv study-fashion.mtkd ../study.mtkd
mv study-useless.mtkd ../study-useless.mtkd
