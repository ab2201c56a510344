#!/bin/bash
# Writes the tables, figures and archives of the study from its stores:
# results/study/make.sh PROGRAM STORE CIFAR-STORE
#
# Nothing is run: docs/study.md says how the stores are made, that of CIFAR-10 with its four imports.
# results/study/README.md is written by hand around them.
set -euo pipefail
program=$(realpath "$1") store=$(realpath "$2") cifar=$(realpath "$3")
cd "$(dirname "$0")"

for name in study-fashion study-useless study-sensitivity study-teachers; do
  "$program" report "$name" --store "$store" > "$name.txt"
done
"$program" report study-cifar10 --store "$cifar" > study-cifar10.txt
for name in study-fashion study-useless; do
  rm -f "$name.mtkd"
  "$program" archive "$name" --store "$store" --without-checkpoints -o "$name.mtkd" > /dev/null
done
"$program" report study-fashion --store "$store" --format html -o study-fashion.html
"$program" plot forest study-fashion --store "$store" --output forest.svg > /dev/null
"$program" plot weights study-useless --store "$store" --output weights.svg > /dev/null
"$program" plot heatmap study-sensitivity --store "$store" --output heatmap.svg > /dev/null
"$program" plot importance study-sensitivity --store "$store" --output importance.svg > /dev/null
"$program" plot teachers study-teachers --store "$store" --output teachers.svg > /dev/null
mv study-fashion.mtkd ../study.mtkd
mv study-useless.mtkd ../study-useless.mtkd
