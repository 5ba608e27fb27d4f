#!/usr/bin/env bash
# Fuzzes every target, one after the other: `shared/fuzz/run.sh SECONDS [TARGET...]`, SECONDS for all of them
# together. Starts from the kept corpus and from what earlier runs reached. Builds as `cargo fuzz
# build --sanitizer none` does, but on any toolchain and without cargo-fuzz: the decoders have no unsafe code, so coverage
# is all that is needed. Exit status 1 when something was found; its input is named.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:?seconds for all targets together}
shift
targets=("$@")
if [ ${#targets[@]} = 0 ]; then
  for file in fuzz_targets/*.rs; do targets+=("$(basename "$file" .rs)"); done
fi

host=$(rustc -vV | sed -n 's/^host: //p')
folder=${CARGO_TARGET_DIR:-../../target}/fuzz
mkdir -p "$folder"
folder=$(realpath "$folder")
coverage="-Cpasses=sancov-module"
for argument in level=4 inline-8bit-counters pc-table trace-compares; do
  coverage+=" -Cllvm-args=-sanitizer-coverage-$argument"
done
# Naming the target keeps build scripts free of it.
RUSTFLAGS="$coverage -Ccodegen-units=1 --cfg fuzzing" CARGO_TARGET_DIR=$folder/build \
  cargo build --quiet --release --locked --bins --target "$host"
bin=$folder/build/$host/release

share=$((seconds / ${#targets[@]}))
[ "$share" -gt 0 ] || share=1
all=0
found=0
for target in "${targets[@]}"; do
  mkdir -p "$folder/found/$target" "$folder/corpus/$target"
  log=$folder/$target.log
  # A room has more to say.
  longest=1024
  [ "$target" = restore ] && longest=4096
  if ! "$bin/$target" -max_total_time=$share -max_len=$longest -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$folder/found/$target/" "$folder/corpus/$target" "corpus/$target" 2>"$log"
  then
    grep -a -B 2 -A 12 panicked "$log" >&2 || tail -n 12 "$log" >&2
    grep -a 'Test unit written' "$log" >&2 || true
    found=$((found + 1))
  fi
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  all=$((all + runs))
  printf '%-16s %12d executions, %d inputs\n' "$target" "$runs" "$(find "$folder/corpus/$target" -type f | wc -l)"
done
printf '%-16s %12d executions, findings in %d targets\n' together "$all" "$found"
[ "$found" = 0 ]
