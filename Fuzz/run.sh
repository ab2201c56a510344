#!/usr/bin/env bash
# Runs every libFuzzer target of this folder for some seconds each: Fuzz/run.sh [SECONDS]. The first run
# builds instrumented modules of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
out=.build/fuzz
mkdir -p "$out"
maps=()
for name in CNettle COpenBLAS; do maps+=(-Xcc "-fmodule-map-file=Sources/$name/module.modulemap"); done
printf 'module CKernels {\n  umbrella "%s"\n  export *\n}\n' "$PWD/Sources/CKernels/include" > "$out/CKernels.modulemap"
maps+=(-Xcc "-fmodule-map-file=$out/CKernels.modulemap" -Xcc "-ISources/CKernels/include")
flags=(-swift-version 6 -O -wmo -parse-as-library -sanitize=fuzzer -package-name mtkd -I "$out" "${maps[@]}"
  -enable-upcoming-feature ExistentialAny -enable-upcoming-feature MemberImportVisibility
  -enable-upcoming-feature InternalImportsByDefault)
for source in Sources/CKernels/*.c; do
  object="$out/$(basename "$source").o"
  [ "$object" -nt "$source" ] || clang -O3 -ffp-contract=off -fno-math-errno -fPIC -ISources/CKernels/include -c "$source" -o "$object"
done
for module in Specs Tensors Networks; do
  if [ ! "$out/$module.o" -nt "Sources/$module" ]; then
    # shellcheck disable=SC2046
    swiftc "${flags[@]}" -module-name "$module" -emit-module -emit-module-path "$out/$module.swiftmodule" \
      -emit-object -o "$out/$module.o" $(find "Sources/$module" -name '*.swift' | sort)
  fi
done
for target in Fuzz/*.swift; do
  name=$(basename "$target" .swift)
  swiftc "${flags[@]}" -module-name "Fuzz$name" "$target" "$out"/*.o -lnettle -lopenblas -o "$out/$name"
  mkdir -p "$out/corpus-$name"
  "$out/$name" -max_total_time="$seconds" -max_len=4096 -print_final_stats=1 "$out/corpus-$name" 2>&1 | tail -8
done
